import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { saveResults } from '@caskade/bench/results-writer'
import { bitcaskBudgets } from './bitcask-budgets.js'
import type { BitcaskMessage } from './bitcask-process-main.js'
import type { BitcaskFigures, BitcaskPhase } from './bitcask-run.js'
import { judge } from './large-budgets.js'

const usage = `npm run -s bench:bitcask -- [options]

What the Bitcask backend is held to besides its rates, each step in a process of its own, killed with SIGKILL at its end:

  keydir-insert      so many keys in the keydir alone: bytes for each, longest pause
  bitcask-close      of a store of 20-byte keys and 100-byte values, and what it has on disk
  open-snapshot      after that close; then, after a kill, open-hints; then, with half a data file written, open-killed
  overwrite-merging  random keys put again and again: the longest stall of a put, and bytes on disk for each live byte

One JSON line for each, and one with the budgets met and missed, which are meant for the default numbers.

  --keydir-keys N  default 100000000; 0: leave it out
  --keys N         of the store, default 10000000; needs some 500 bytes of disk each; 0: leave it out
  --rounds N       puts for each key in overwrite-merging, default 3
  --directory DIR  where the store is made, and removed from; default: the system's temporary directory
  --save           writes bench/results/bitcask-KEYS.json
`

const { values } = parseArgs({
  options: {
    'keydir-keys': { type: 'string', default: '100000000' },
    keys: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '3' },
    directory: { type: 'string', default: tmpdir() },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const [keydirKeys, keys, rounds] = [Number(values['keydir-keys']), Number(values.keys), Number(values.rounds)]
if (values.help || ![keydirKeys, keys, rounds].every((number) => Number.isInteger(number) && number >= 0)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

/** As a node runs. */
const nodeFlags = ['--single-threaded-gc']
const childPath = fileURLToPath(new URL('bitcask-process-main.js', import.meta.url))
const subject = 'caskade-bitcask'
const lines: BitcaskFigures[] = []

async function runPhase(phase: BitcaskPhase, directory: string, count: number): Promise<void> {
  const child = fork(childPath, [JSON.stringify({ phase, directory, keys: count, rounds })], { execArgv: nodeFlags })
  let failure: string | undefined = 'its process ended early'
  child.on('message', (message: BitcaskMessage) => {
    if ('failed' in message) failure = message.failed
    else {
      failure = undefined
      lines.push(message.figures)
      console.log(JSON.stringify({ subject, ...message.figures }))
    }
  })
  await once(child, 'close')
  if (failure !== undefined) throw new Error(`${phase}: ${failure}`)
}

const directory = mkdtempSync(join(values.directory, 'caskade-bitcask-'))
try {
  if (keydirKeys > 0) await runPhase('keydir', directory, keydirKeys)
  const phases: BitcaskPhase[] = ['fill', 'open-snapshot', 'open-hints', 'open-killed', 'overwrite']
  if (keys > 0) for (const phase of phases) await runPhase(phase, directory, keys)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
const verdict = { bench: 'bitcask-budgets', subject, n: keys, ...judge(lines, bitcaskBudgets) }
console.log(JSON.stringify(verdict))
if (values.save) {
  const path = saveResults(`bitcask-${keys}`, {
    command: `npm run -s bench:bitcask -- ${process.argv.slice(2).join(' ')}`,
    settings: {
      [subject]:
        'node --single-threaded-gc, as a node runs; defaults: durability os; putSync, and what backpressure() asks for is waited',
    },
    lines: [...lines.map((line) => ({ subject, ...line })), verdict],
  })
  console.error(`saved ${path}`)
}
