import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commit, machine } from '@caskade/bench/machine'
import { saveResults } from '@caskade/bench/results-writer'
import { textTable } from '@caskade/bench/text-table'
import { compare, type Measurement } from './measurement.js'
import { buildSqlite } from './sqlite-build.js'
import type { Phase, PhaseMessage, PhaseRequest } from './store-process.js'
import { isOurs, peers } from './stores/all-peers.js'

const usage = `npm run -s bench:peers -- [options]

Runs the same workloads on our engine and on other stores from npm, each in a process of its own: 20-byte keys,
half-compressible values, random order. A put is acknowledged when it survives kill -9; with put-sync, a power cut.

  put, put-batch, overwrite, put-sync (256 writers), mix-70-30 (while compacting), get-present, get-borrowed, get-zipf,
  get-absent, get-many, scan-full, scan-100 (whole scans a second), reopen (after kill -9), memory, disk
  maxUs is exact: no operation took longer, timed or not; of put it is the longest stall of the fill

  --keys N         default 1000000
  --value-bytes N  default 100
  --stores LIST    default ${Object.keys(peers).join(',')}
  --json           one JSON object per line instead of the table
  --save           writes bench/results/peers-N.json, or peers-N-values-V.json
`

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    'value-bytes': { type: 'string', default: '100' },
    stores: { type: 'string', default: Object.keys(peers).join(',') },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const keys = Number(values.keys)
const valueBytes = Number(values['value-bytes'])
const subjects = values.stores.split(',')
const unknown = subjects.filter((subject) => peers[subject] === undefined)
if (
  values.help ||
  unknown.length > 0 ||
  !Number.isInteger(keys) ||
  keys < 1000 ||
  !(valueBytes >= 8 && valueBytes <= 1 << 20)
) {
  if (unknown.length > 0) console.error(`no such store: ${unknown.join(', ')}`)
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const childPath = fileURLToPath(new URL('store-process-main.js', import.meta.url))

/** Runs one phase in a child; its measurements, or why there are none. */
async function runPhase(request: PhaseRequest): Promise<{ measurements: Measurement[]; missing?: string }> {
  const child = fork(childPath, [JSON.stringify(request)])
  const measurements: Measurement[] = []
  let missing: string | undefined = 'its process ended early'
  child.on('message', (message: PhaseMessage) => {
    if ('measurement' in message) measurements.push(message.measurement)
    else if ('finished' in message) missing = undefined
    else missing = 'failed' in message ? message.failed : message.unavailable
  })
  await once(child, 'close')
  return missing === undefined ? { measurements } : { measurements, missing }
}

const lines: Measurement[] = []
const missing: string[] = []
if (subjects.includes('sqlite')) await buildSqlite()
for (const subject of subjects) {
  const directories = [1, 2, 3].map(() => mkdtempSync(join(tmpdir(), 'caskade-bench-')))
  const phases: [Phase, string][] = [
    ['fill', directories[0]!],
    ['read', directories[0]!],
    ['change', directories[0]!],
    ['fill-batch', directories[1]!],
    ['fill-sync', directories[2]!],
  ]
  for (const [phase, directory] of phases) {
    if (phase === 'fill-sync' && peers[subject]!.openDurable === undefined) {
      missing.push(`${subject} (${phase}): it has no put that survives a power cut`)
      continue
    }
    if (!values.json) console.error(`${subject}: ${phase}`)
    const result = await runPhase({ subject, phase, directory, keys, valueBytes })
    lines.push(...result.measurements)
    if (result.missing === undefined) continue
    missing.push(`${subject} (${phase}): ${result.missing}`)
    break
  }
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
}

const comparisons = compare(lines, isOurs)
const settings = Object.fromEntries(subjects.map((subject) => [subject, peers[subject]!.settings]))
if (values.json) {
  const used = Object.entries(settings).map(([subject, text]) => ({ subject, settings: text }))
  for (const line of [...lines, ...comparisons, ...used]) console.log(JSON.stringify(line))
} else printTable()
for (const line of missing) console.error(`not measured: ${line}`)

function figure({ bench, opsPerSec, diskBytes, rssBytes, maxUs }: Measurement): string {
  if (bench === 'disk') return `${(diskBytes! / 2 ** 20).toFixed(0)} MiB`
  if (bench === 'memory') return `${(rssBytes! / 2 ** 20).toFixed(0)} MiB`
  if (bench === 'reopen') return `${(maxUs! / 1000).toFixed(0)} ms`
  return `${(opsPerSec! / 1000).toPrecision(3)} K/s`
}

function printTable(): void {
  const { cpu, cores, node } = machine()
  const benches = [...new Set(lines.map(({ bench }) => bench))]
  const rows = benches.map((bench) => {
    const own = comparisons.find((each) => each.bench === bench)
    const cells = subjects.map((subject) => {
      const line = lines.find((each) => each.bench === bench && each.subject === subject)
      return line === undefined ? '-' : figure(line)
    })
    return [bench, ...cells, own?.bestPeer ?? '-', own?.ratio.toFixed(2) ?? '-']
  })
  console.log(`${cpu}, ${cores} cores, Node ${node}, commit ${commit()}, ${keys} keys\n`)
  console.log(textTable([['', ...subjects, 'best peer', 'ratio'], ...rows]))
  const stalls = lines.filter(({ bench, maxUs }) => bench !== 'reopen' && maxUs !== undefined)
  const latencies = stalls.map(({ bench, subject, p50Us, p99Us, p999Us, maxUs, cpuUsPerOp }) => [
    `${bench}, ${subject}`,
    ...[p50Us, p99Us, p999Us, maxUs, cpuUsPerOp].map((figure) => (figure ?? 0).toFixed(1)),
  ])
  console.log(`\n${textTable([['us', 'p50', 'p99', 'p99.9', 'max', 'CPU/op'], ...latencies])}`)
  console.log(
    `\n${Object.entries(settings)
      .map(([subject, text]) => `${subject}: ${text}`)
      .join('\n')}`,
  )
}

if (values.save) {
  const path = saveResults(valueBytes === 100 ? `peers-${keys}` : `peers-${keys}-values-${valueBytes}`, {
    command: `npm run -s bench:peers -- ${process.argv.slice(2).join(' ')}`,
    settings: { ...settings, ...(missing.length > 0 ? { notMeasured: missing } : {}) },
    lines: [...lines, ...comparisons],
  })
  console.error(`saved ${path}`)
}
process.exitCode = lines.some(({ subject }) => isOurs(subject)) ? 0 : 1
