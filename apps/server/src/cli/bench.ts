import { passwordFrom } from '../config/load-config.js'
import { BenchConnection, encodeCommand } from './bench-connection.js'
import { type BenchFigures, benchFigures } from './bench-figures.js'
import type { Command, CommandContext } from './command-context.js'
import { exitCode } from './exit-code.js'
import { NodeClient, nodeUrl } from './node-client.js'
import { Table } from './table.js'

/** HTTP requests cost some ten times a Redis command: a tenth of them says as much. */
const httpShare = 10
const keyCount = 10_000

const keyOf = (number: number) => `caskade-bench/${number % keyCount}`

interface Work {
  bench: string
  n: number
  /** Runs `count` requests from number `from` on, on worker `worker`, as one round trip. */
  roundTrip: (worker: number, from: number, count: number) => Promise<unknown>
  perRoundTrip: number
}

/** Workers take the next numbers until all are done. */
async function measure(work: Work, workers: number): Promise<BenchFigures> {
  const times: number[] = []
  let next = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (next < work.n) {
        const from = next
        const count = Math.min(work.perRoundTrip, work.n - from)
        next += count
        const sent = performance.now()
        await work.roundTrip(worker, from, count)
        times.push((performance.now() - sent) * 1000)
      }
    }),
  )
  return benchFigures(work.bench, work.n, (performance.now() - started) / 1000, times)
}

async function works(context: CommandContext, connections: BenchConnection[], client: NodeClient): Promise<Work[]> {
  const { config } = context
  const n = config.number('requests')
  const perRoundTrip = Math.max(1, config.number('pipeline'))
  const value = 'x'.repeat(config.number('value-bytes'))
  const commands = (words: (number: number) => string[]) => (worker: number, from: number, count: number) => {
    let text = ''
    for (let i = 0; i < count; i++) text += encodeCommand(...words(from + i))
    return connections[worker]!.ask(text, count)
  }
  const body = JSON.stringify({ value })
  const headers = { 'content-type': 'application/json' }
  const path = (number: number) => `/api/v1/kv/${keyOf(number)}`
  const httpCount = Math.max(1, Math.ceil(n / httpShare))
  return [
    { bench: 'redis SET', n, perRoundTrip, roundTrip: commands((number) => ['SET', keyOf(number), value]) },
    { bench: 'redis GET', n, perRoundTrip, roundTrip: commands((number) => ['GET', keyOf(number)]) },
    {
      bench: 'http PUT',
      n: httpCount,
      perRoundTrip: 1,
      roundTrip: (_, from) => client.ask({ method: 'PUT', path: path(from), headers, body }),
    },
    { bench: 'http GET', n: httpCount, perRoundTrip: 1, roundTrip: (_, from) => client.ask({ path: path(from) }) },
  ]
}

/** `bench`: a first impression of a running node; `loadgen` is the real measure. */
export const bench: Command = async (context) => {
  const { config, out } = context
  const workers = Math.max(1, config.number('clients'))
  const client = await NodeClient.from(config, workers)
  const connections: BenchConnection[] = []
  try {
    await client.ask({ path: '/api/v1/status' })
    const host = nodeUrl(config).hostname.replace(/^\[(.*)\]$/, '$1')
    const password = await passwordFrom(config)
    for (let i = 0; i < workers; i++)
      connections.push(await BenchConnection.open(host, config.number('resp-port'), password))

    const results: BenchFigures[] = []
    for (const work of await works(context, connections, client)) results.push(await measure(work, workers))
    const keys = Array.from({ length: keyCount }, (_, number) => keyOf(number))
    await connections[0]!.ask(encodeCommand('DEL', ...keys), 1)

    const form = config.text('output')
    if (form === 'json') out.write(`${JSON.stringify(results)}\n`)
    else if (form === 'ndjson') for (const result of results) out.write(`${JSON.stringify(result)}\n`)
    else {
      const count = (value: number) => value.toLocaleString('en-US')
      const table = new Table(
        [
          { title: 'WORK' },
          { title: 'OPS/S', right: true },
          { title: 'P50 µs', right: true },
          { title: 'P99 µs', right: true },
          { title: 'MAX µs', right: true },
        ],
        Number.POSITIVE_INFINITY,
      )
      const rows = results.map(({ bench, opsPerSec, p50Us, p99Us, maxUs }) => [
        bench,
        ...[opsPerSec, p50Us, p99Us, maxUs].map(count),
      ])
      table.fit(rows)
      out.write(table.header())
      out.write(table.rows(rows))
      out.write(
        `${workers} connections, pipeline ${config.number('pipeline')} (Redis), values of ${config.number('value-bytes')} bytes; times are per round trip\n`,
      )
    }
    return exitCode.ok
  } finally {
    for (const connection of connections) connection.close()
    client.close()
  }
}
