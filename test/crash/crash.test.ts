import { expect, test } from 'vitest'
import { TemporaryDirectory } from '../temporary-directory.js'
import { crashRun } from './crash-run.js'
import { engineTarget } from './engine-target.js'
import { serverTarget } from './server-target.js'

// The short form of `npm run crash`.
test.each([
  ['engine', engineTarget('lsm'), 4],
  ['engine, bitcask', engineTarget('bitcask'), 4],
  ['server', serverTarget, 3],
] as const)(
  'kill -9 of the %s under load loses nothing acknowledged',
  { timeout: 180_000 },
  async (_name, target, rounds) => {
    using directory = new TemporaryDirectory()
    const seed = Date.now() % 0x1_0000_0000
    const options = { target, directory: directory.path, rounds, seed, writeMsMax: 1000, keys: 500 }
    const report = await crashRun(options)
    expect(report, `seed ${seed}`).toMatchObject({ rounds, violations: 0, messages: [] })
    expect(report.acknowledged).toBeGreaterThan(0)
  },
)
