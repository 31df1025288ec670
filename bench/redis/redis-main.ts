import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { commit, machine } from '../machine.js'
import { saveResults } from '../results-writer.js'
import { textTable } from '../text-table.js'
import { type BenchmarkResult, parseBenchmarkCsv } from './benchmark-csv.js'
import { freePort, MeasuredServer } from './measured-server.js'

const usage = `npm run -s bench:redis -- [options]

Starts redis-server (appendonly yes, appendfsync everysec) and a Caskade node in turn and drives each with redis-benchmark:
50 clients, 100-byte values, 100,000 random keys, SET and GET. Needs redis-server and redis-benchmark on the PATH.

  --repetitions N   of both servers, interleaved, each with an empty directory; the median counts; default 5
  --pipelines LIST  default 1,16,64
  --seconds N       about how long each measurement takes, default 3
  --json            one JSON object per line instead of the table
  --save            writes bench/results/redis.json
`

const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '5' },
    pipelines: { type: 'string', default: '1,16,64' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const repetitions = Number(values.repetitions)
const seconds = Number(values.seconds)
const pipelines = values.pipelines.split(',').map(Number)
if (values.help || !(repetitions >= 1) || !(seconds > 0) || !pipelines.every((depth) => depth >= 1)) {
  process.stdout.write(usage)
  process.exit(values.help ? 0 : 2)
}

const clients = 50
const valueBytes = 100
const randomKeys = 100_000
const tests = ['set', 'get'] as const
// Requests for about one second: what Redis does on a small machine.
const requestsPerSecond = (depth: number) => (depth === 1 ? 70_000 : depth < 32 ? 500_000 : 800_000)

const run = promisify(execFile)
const caskade = join(
  dirname(createRequire(import.meta.url).resolve('@caskade/server/package.json')),
  'dist/bin/caskade.js',
)

const subjects = {
  redis: async (directory: string) => {
    const port = await freePort()
    const durability = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '']
    return MeasuredServer.start(port, 'redis-server', ['--port', String(port), '--dir', directory, ...durability])
  },
  caskade: async (directory: string) => {
    const [resp, http] = [await freePort(), await freePort()]
    const ports = ['--resp-port', String(resp), '--http-port', String(http)]
    return MeasuredServer.start(resp, process.execPath, [
      '--single-threaded-gc',
      caskade,
      'server',
      '--data-dir',
      directory,
      ...ports,
    ])
  },
}
type Subject = keyof typeof subjects

interface Measurement extends BenchmarkResult {
  bench: string
  subject: Subject
  n: number
  cpuUsPerOp: number
  rssBytes: number
}

async function benchmark(server: MeasuredServer, test: string, depth: number, n: number): Promise<BenchmarkResult> {
  const load = ['-c', clients, '-d', valueBytes, '-r', randomKeys, '-P', depth, '-n', n].map(String)
  const { stdout } = await run('redis-benchmark', ['-p', String(server.port), ...load, '-t', test, '--csv'])
  return parseBenchmarkCsv(stdout).get(test)!
}

/** One server from start to stop, with an empty directory; warmed up by one run that also fills the key space. */
async function measure(subject: Subject): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-bench-'))
  const measurements: Measurement[] = []
  try {
    const server = await subjects[subject](directory)
    for (const test of tests) await benchmark(server, test, 16, 1_000_000)
    for (const depth of pipelines)
      for (const test of tests) {
        const n = Math.round(requestsPerSecond(depth) * seconds)
        const cpuBefore = server.cpuUs()
        const result = await benchmark(server, test, depth, n)
        const cpuUsPerOp = Number(((server.cpuUs() - cpuBefore) / n).toFixed(2))
        measurements.push({
          bench: `redis-${test}-p${depth}`,
          subject,
          n,
          ...result,
          cpuUsPerOp,
          rssBytes: server.rssBytes(),
        })
      }
    await server.stop()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return measurements
}

/** The run with the median throughput, whole: its latencies belong to it. */
function median(runs: Measurement[]): Measurement {
  return runs.toSorted((a, b) => a.opsPerSec - b.opsPerSec)[Math.floor((runs.length - 1) / 2)]!
}

const all: Measurement[] = []
for (let repetition = 1; repetition <= repetitions; repetition++)
  for (const subject of ['redis', 'caskade'] as const) {
    if (!values.json) console.error(`repetition ${repetition} of ${repetitions}: ${subject}`)
    all.push(...(await measure(subject)))
  }

const benches = [...new Set(all.map(({ bench }) => bench))]
const of = (bench: string, subject: Subject) => all.filter((each) => each.bench === bench && each.subject === subject)
const compared = benches.map((bench) => {
  const [redis, ours] = [median(of(bench, 'redis')), median(of(bench, 'caskade'))]
  const spread = (subject: Subject) => {
    const rates = of(bench, subject).map(({ opsPerSec }) => opsPerSec)
    return [Math.min(...rates), Math.max(...rates)].map((rate) => Math.round(rate / 1000)).join('-')
  }
  const comparison = {
    bench,
    subject: 'caskade',
    bestPeer: 'redis',
    ratio: Number((ours.opsPerSec / redis.opsPerSec).toFixed(3)),
  }
  return { redis, ours, comparison, redisSpread: spread('redis'), ourSpread: spread('caskade') }
})
const lines = compared.flatMap(({ redis, ours, comparison }) => [redis, ours, comparison])

if (values.json) for (const line of lines) console.log(JSON.stringify(line))
else {
  const thousands = (rate: number) => (rate / 1000).toFixed(1)
  const header = [
    'bench',
    'redis K/s',
    '(range)',
    'caskade K/s',
    '(range)',
    'ratio',
    'p99 us redis',
    'caskade',
    'CPU us/op redis',
    'caskade',
  ]
  const rows = compared.map(({ redis, ours, comparison, redisSpread, ourSpread }) => [
    comparison.bench,
    thousands(redis.opsPerSec),
    redisSpread,
    thousands(ours.opsPerSec),
    ourSpread,
    comparison.ratio.toFixed(2),
    String(redis.p99Us),
    String(ours.p99Us),
    redis.cpuUsPerOp.toFixed(2),
    ours.cpuUsPerOp.toFixed(2),
  ])
  const { cpu, cores, node } = machine()
  console.log(
    `${cpu}, ${cores} cores, Node ${node}, commit ${commit()}; median of ${repetitions}, CPU of the server process\n`,
  )
  console.log(textTable([header, ...rows]))
}

if (values.save) {
  const { stdout: redisVersion } = await run('redis-server', ['--version'])
  const path = saveResults('redis', {
    command: `npm run -s bench:redis -- ${process.argv.slice(2).join(' ')}`,
    settings: {
      redis: `${redisVersion.trim()}; appendonly yes, appendfsync everysec, no RDB snapshots`,
      caskade: 'defaults (durability os)',
      load: `${clients} clients, ${valueBytes}-byte values, ${randomKeys} random keys, median of ${repetitions} interleaved runs`,
    },
    lines,
  })
  console.error(`saved ${path}`)
}
