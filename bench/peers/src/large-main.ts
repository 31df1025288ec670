import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { saveResults } from '@caskade/bench/results-writer'
import { judge, largeBudgets } from './large-budgets.js'
import type { LargeMessage, LargeRequest } from './large-process.js'
import type { LargeFigures } from './large-run.js'

const usage = `npm run -s bench:large -- [options]

Loads very many records of 100 bytes (20 of them the key) into one engine, in random order, one put after the other; kills the
process with SIGKILL, opens the store again and reads random keys. One JSON line for each step and one with the budgets met and
missed, which are meant for 100 million keys.

  --keys N         default 100000000; needs about 100 bytes of disk each, and room for compaction
  --store NAME     lsm (default) or bitcask
  --directory DIR  where the store is made, and removed from; default: the system's temporary directory
  --quiet          no line per second on standard error
  --save           writes bench/results/large-STORE-N.json
`

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000000' },
    store: { type: 'string', default: 'lsm' },
    directory: { type: 'string', default: tmpdir() },
    quiet: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const keys = Number(values.keys)
if (values.help || !Number.isInteger(keys) || keys < 1 || keys >= 2 ** 32) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

/** As a node runs. */
const nodeFlags = ['--single-threaded-gc']
const childPath = fileURLToPath(new URL('large-process-main.js', import.meta.url))
const subject = `caskade-${values.store}`
const lines: LargeFigures[] = []

/** Runs one phase in a child. Throws if it could not. */
async function runPhase(request: LargeRequest): Promise<void> {
  const child = fork(childPath, [JSON.stringify(request)], { execArgv: nodeFlags })
  let failure: string | undefined = 'its process ended early'
  child.on('message', (message: LargeMessage) => {
    if ('figures' in message) {
      lines.push(message.figures)
      console.log(JSON.stringify({ subject, ...message.figures }))
    } else if ('finished' in message) failure = undefined
    else if ('failed' in message) failure = message.failed
    else if (!values.quiet) {
      const { puts, opsPerSec, rssBytes } = message.progress
      console.error(
        `${((100 * puts) / keys).toFixed(1)} %, ${opsPerSec} puts/s, ${(rssBytes / 2 ** 20).toFixed(0)} MiB resident`,
      )
    }
  })
  await once(child, 'close')
  if (failure !== undefined) throw new Error(`${request.phase}: ${failure}`)
}

const directory = mkdtempSync(join(values.directory, 'caskade-large-'))
try {
  for (const phase of ['load', 'read'] as const) await runPhase({ phase, store: values.store, directory, keys })
} finally {
  rmSync(directory, { recursive: true, force: true })
}
const verdict = { bench: 'large-budgets', subject, n: keys, ...judge(lines, largeBudgets) }
console.log(JSON.stringify(verdict))
if (values.save) {
  const path = saveResults(`large-${values.store}-${keys}`, {
    command: `npm run -s bench:large -- ${process.argv.slice(2).join(' ')}`,
    settings: {
      [subject]:
        'node --single-threaded-gc, as a node runs; defaults: durability os; putSync, and what backpressure() asks for is waited; getSync',
    },
    lines: [...lines.map((line) => ({ subject, ...line })), verdict],
  })
  console.error(`saved ${path}`)
}
