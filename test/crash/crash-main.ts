import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { StoreKind } from '@caskade/engine'
import { crashRun } from './crash-run.js'
import { engineTarget } from './engine-target.js'
import { serverTarget } from './server-target.js'

const usage = `npm run -s crash -- [options]

Kills a writing process with SIGKILL at random moments and verifies after each restart that every acknowledged write is
there and that nothing is half applied. The last line is one JSON object; exit code 1 when it counts violations.

  --rounds N       kills under load, default 50
  --seconds N      longest time each round writes, default 2
  --target NAME    server (default): over the Redis protocol; engine: a process that embeds the engine
  --store NAME     backend of the engine: lsm (default) or bitcask
  --keys N         keys of each writer, default 2000
  --seed N         replays the operations and the kill times of an earlier run (the moments themselves vary)
  --json           only the JSON line
`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '2' },
    target: { type: 'string', default: 'server' },
    store: { type: 'string', default: 'lsm' },
    keys: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const target = { server: serverTarget, engine: engineTarget(values.store as StoreKind) }[values.target]
const numbers = [values.rounds, values.seconds, values.keys, values.seed].map(Number)
if (values.help || target === undefined || !numbers.every((number) => number >= 0)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const parent = mkdtempSync(join(tmpdir(), 'caskade-crash-'))
const [rounds, seconds, keys, seed] = numbers as [number, number, number, number]
const say = (line: string) => values.json || console.log(line)
say(`seed ${seed}, target ${values.target}, directory ${parent}`)

const report = await crashRun({
  target,
  directory: join(parent, 'data'),
  rounds,
  seed,
  keys,
  writeMsMax: seconds * 1000,
  onRound: (round, plan, { acknowledged, violations }) =>
    say(
      `round ${round + 1}: killed after ${plan.killAfterMs} ms, ${plan.writers} writers x ${plan.depthMax} in flight, ` +
        `memtable ${plan.memtableBytes >> 20} MiB, ${plan.durability}, mmap ${plan.mmap}` +
        `${plan.killsDuringStartMs.length > 0 ? `, killed during start at ${plan.killsDuringStartMs.join(', ')} ms` : ''}` +
        `; ${acknowledged} acknowledged so far, ${violations} violations`,
    ),
})

if (report.violations === 0) rmSync(parent, { recursive: true, force: true })
else say(`the directory is kept: ${parent}`)
console.log(JSON.stringify({ target: values.target, ...report }))
process.exitCode = report.violations === 0 ? 0 : 1
