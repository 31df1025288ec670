import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TemporaryDirectory } from '../temporary-directory.js'
import { soakRun } from './soak-run.js'
import type { SoakSample } from './soak-verdict.js'

test('a short soak finds no wrong answer, and takes its samples', async () => {
  using parent = new TemporaryDirectory()
  const directory = join(parent.path, 'store')
  const seen: SoakSample[] = []
  const { samples, operations } = await soakRun({
    directory,
    open: { memtableBytes: 1 << 20 },
    keys: 2000,
    seed: 7,
    seconds: 4,
    sampleEveryMs: 100,
    maintainEveryMs: 1000,
    onSample: (sample) => seen.push(sample),
  })
  expect(seen).toEqual(samples)
  expect(operations).toBeGreaterThanOrEqual(1000)
  for (const sample of samples) for (const figure of Object.values(sample)) expect(figure).toBeGreaterThanOrEqual(0)
  rmSync(directory, { recursive: true })
})
