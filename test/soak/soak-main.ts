import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { OpenOptions } from '@caskade/engine'
import { soakRun } from './soak-run.js'
import { judgeSoak } from './soak-verdict.js'

const usage = `npm run -s soak -- [options]

Loads one engine with everything it can do (puts, gets, deletes, batches, scans that break off, snapshots, range deletes,
compaction), checks every answer, and watches the process: resident memory, heap, descriptors, handles and disk must not grow.
The last line is one JSON object; exit code 1 when something grew or an answer was wrong.

  --minutes N   default 30; below 5 memory is still warming up, and may be called growing
  --keys N      default 50000
  --store NAME  lsm (default) or bitcask
  --mmap MODE   auto (default) or off
  --seed N      replays the operations of an earlier run
  --json        only the JSON line
`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    keys: { type: 'string', default: '50000' },
    store: { type: 'string', default: 'lsm' },
    mmap: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const [minutes, keys, seed] = [values.minutes, values.keys, values.seed].map(Number) as [number, number, number]
if (values.help || !(minutes > 0) || !(keys >= 1) || !(seed >= 0)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

// The heap is measured after a collection: else its saw-tooth would be most of what is seen.
setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc') as typeof globalThis.gc

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const directory = mkdtempSync(join(tmpdir(), 'caskade-soak-'))
if (!values.json) console.log(`seed ${seed}, directory ${directory}`)
const head = { store: values.store, minutes, seed }
try {
  const { samples, operations } = await soakRun({
    directory,
    // Small memtables: flushes and compactions all the time.
    open: { store: values.store, mmap: values.mmap, memtableBytes: 4 << 20, cacheBytes: 16 << 20 } as OpenOptions,
    keys,
    seed,
    seconds: minutes * 60,
    sampleEveryMs: Math.max(100, minutes * 60),
    maintainEveryMs: 60_000,
    onSample: ({ seconds, anonymousBytes, mappedBytes, heapBytes, descriptors, handles, diskBytes }) => {
      if (values.json) return
      const memory = `${mebibytes(anonymousBytes)} anonymous, ${mebibytes(mappedBytes)} mapped, ${mebibytes(heapBytes)} heap, ${mebibytes(diskBytes)} disk`
      console.log(`${seconds.toFixed(0)} s: ${memory}, ${descriptors} descriptors, ${handles} handles`)
    },
  })
  const verdict = judgeSoak(samples)
  console.log(JSON.stringify({ ...head, operations, samples: samples.length, violations: 0, ...verdict }))
  process.exitCode = verdict.flat ? 0 : 1
  rmSync(directory, { recursive: true, force: true })
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  console.log(JSON.stringify({ ...head, violations: 1, error: message, directory }))
  process.exitCode = 1
}
