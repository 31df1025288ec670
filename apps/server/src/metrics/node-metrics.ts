import type { StoreStats } from '@caskade/engine'
import { Counter, Gauge, type Metric, Registry } from 'prom-client'
import { type HttpCounters, requestSecondsBounds } from '../http/http-counters.js'
import type { RespCounters } from '../resp/resp-counters.js'
import type { CommandFigures, RespServer } from '../resp/resp-server.js'
import type { LoopDelay } from './loop-delay.js'

/** Totals of the Redis port: which of its counters is which metric. */
const respTotals = [
  ['connectionsAccepted', 'connections', 'Connections accepted on the Redis port.'],
  ['connectionsRejected', 'connections_rejected', 'Connections refused on the Redis port because too many were open.'],
  ['bytesReceived', 'received_bytes', 'Bytes received on the Redis port.'],
  ['bytesSent', 'sent_bytes', 'Bytes sent on the Redis port.'],
  ['errorReplies', 'error_replies', 'Commands answered with an error.'],
  ['protocolErrors', 'protocol_errors', 'Connections closed because of malformed commands.'],
  ['authFailures', 'auth_failures', 'Wrong passwords on the Redis port.'],
  ['keyspaceHits', 'keyspace_hits', 'Reads that found their key.'],
  ['keyspaceMisses', 'keyspace_misses', 'Reads that did not find their key.'],
  ['slowReadersCut', 'slow_readers_cut', 'Connections cut because they did not read their replies.'],
  ['unfinishedFramesCut', 'unfinished_frames_cut', 'Connections cut in the middle of a command that came too slowly.'],
  ['clientsEvicted', 'clients_evicted', 'Connections cut because all together held too much memory.'],
] as const satisfies readonly (readonly [keyof RespCounters, string, string])[]

export interface MetricSources {
  version: string
  /** Seconds since the epoch. */
  startedAtSeconds: number
  http: HttpCounters
  httpConnections: () => Promise<number>
  resp: Pick<RespServer, 'counters' | 'connections' | 'heldBytes' | 'commandFigures'>
  stats: () => StoreStats
  loopDelay: LoopDelay
  ready: () => boolean
}

/** Prometheus wants base units, spelt out. */
const baseUnits: Record<string, readonly [name: string, perUnit: number]> = {
  ms: ['seconds', 1e-3],
  us: ['seconds', 1e-6],
  ns: ['seconds', 1e-9],
}

/** Name and value, as Prometheus takes them, of one of the store's figures such as `lsm.level0.tables` or `lsm.pausedMs`. */
export function storeMetric(detail: string, value: number): { name: string; value: number } {
  const words = detail
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    // These endings mean something else to Prometheus than a gauge.
    .filter((word, index, all) => index < all.length - 1 || !['total', 'count', 'sum', 'bucket', 'info'].includes(word))
  const unit = baseUnits[words.at(-1) ?? '']
  if (unit !== undefined) words[words.length - 1] = unit[0]
  return { name: `caskade_store_${words.join('_')}`, value: unit === undefined ? value : value * unit[1] }
}

/**
 * The node's metrics. Nothing is counted through the registry: hot paths add to plain numbers, and a scrape copies them in.
 */
export function createMetrics(sources: MetricSources): { readonly type: string; text(): Promise<string> } {
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read())
      },
    })
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })

  new Gauge({
    name: 'caskade_build_info',
    help: 'Always 1; what runs is in the labels.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: sources.version, node: process.version }, 1)
  gauge(
    'caskade_start_time_seconds',
    'When the node started, in seconds since the epoch.',
    () => sources.startedAtSeconds,
  )
  gauge('caskade_ready', '1 where the node should get work.', () => Number(sources.ready()))
  gauge('caskade_process_resident_memory_bytes', 'Memory of the process in RAM.', () => process.memoryUsage.rss())
  gauge('caskade_process_heap_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed)
  counter('caskade_process_cpu_seconds_total', 'CPU time used, user and system.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  gauge(
    'caskade_event_loop_delay_p99_seconds',
    'How late timers ran over the last seconds, 99th percentile.',
    () => sources.loopDelay.p99Ms / 1000,
  )
  gauge(
    'caskade_event_loop_delay_max_seconds',
    'How late timers ran over the last seconds, at worst.',
    () => sources.loopDelay.maxMs / 1000,
  )

  gauge('caskade_http_connections', 'Open HTTP connections.', () => sources.httpConnections())
  counter(
    'caskade_http_connections_dropped_total',
    'HTTP connections dropped because too many were open.',
    () => sources.http.connectionsDropped,
  )
  counter(
    'caskade_http_malformed_requests_total',
    'HTTP requests that were cut before they were whole.',
    () => sources.http.clientErrors,
  )
  requestHistogram(registry, sources.http)

  gauge('caskade_resp_connections', 'Open connections on the Redis port.', () => sources.resp.connections)
  for (const [field, name, help] of respTotals)
    counter(`caskade_resp_${name}_total`, help, () => sources.resp.counters[field])

  gauge('caskade_resp_held_bytes', 'Bytes held for clients of the Redis port.', () => sources.resp.heldBytes)
  for (const [name, help, read] of [
    ['caskade_resp_commands_total', 'Commands run, by name.', ({ calls }) => calls],
    [
      'caskade_resp_command_seconds_total',
      'Time spent in commands, by name.',
      ({ microseconds }) => microseconds / 1e6,
    ],
    ['caskade_resp_commands_failed_total', 'Commands answered with an error, by name.', ({ failed }) => failed],
    ['caskade_resp_commands_rejected_total', 'Commands refused before they ran, by name.', ({ rejected }) => rejected],
  ] satisfies [string, string, (figures: CommandFigures) => number][])
    new Counter({
      name,
      help,
      labelNames: ['command'],
      registers,
      collect() {
        this.reset()
        for (const figures of sources.resp.commandFigures()) this.inc({ command: figures.name }, read(figures))
      },
    })

  const { stats } = sources
  gauge('caskade_store_keys', 'Estimate of live keys.', () => stats().keysEstimate)
  gauge('caskade_store_disk_bytes', 'Bytes of all files of the store.', () => stats().diskBytes)
  gauge('caskade_store_memory_bytes', 'Bytes that the store holds off the JavaScript heap.', () => stats().memoryBytes)
  gauge('caskade_store_read_only', '1 where the store takes no writes.', () =>
    Number(stats().readOnlyReason !== undefined),
  )
  counter('caskade_store_writes_total', 'Writes since the store was created.', () => stats().sequence)

  return {
    type: registry.contentType,
    async text() {
      // The backend's own figures: their names are only known at run time.
      for (const [detail, figure] of Object.entries(stats().details)) {
        const { name, value } = storeMetric(detail, figure)
        const known = registry.getSingleMetric(name) as Gauge | undefined
        const metric = known ?? new Gauge({ name, help: `The figure ${detail} of the store.`, registers })
        metric.set(value)
      }
      return registry.metrics()
    },
  }
}

/** A histogram by route and status whose figures come from `counters` when it is scraped. */
function requestHistogram(registry: Registry, counters: HttpCounters): void {
  const name = 'caskade_http_request_duration_seconds'
  const histogram = {
    name,
    help: 'Time from the headers of a request to the end of its answer.',
    type: 'histogram',
    aggregator: 'sum',
    async get() {
      const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = []
      for (const { method, route, status, count, seconds, buckets } of counters.routes.values()) {
        const labels = { method, route, status: String(status) }
        let upTo = 0
        for (const [index, bound] of requestSecondsBounds.entries()) {
          upTo += buckets[index]!
          values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: upTo })
        }
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count })
        values.push({ metricName: `${name}_sum`, labels, value: seconds })
        values.push({ metricName: `${name}_count`, labels, value: count })
      }
      return { name, help: this.help, type: this.type, aggregator: this.aggregator, values }
    },
  }
  // prom-client's own histograms can only be observed into; its registry asks a metric for no more than these members.
  registry.registerMetric(histogram as unknown as Metric)
}
