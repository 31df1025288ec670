import type { LatencyEvents } from './latency-events.js'
import type { RespLimits } from './resp-limits.js'
import type { SlowLog } from './slow-log.js'

/** One name of CONFIG GET; without `set` it cannot be changed while running. */
interface Parameter {
  name: string
  get: () => string
  /** Redis can change it: asking for what it is already is no error. */
  keepable?: boolean
  /** With `min` and `max`, inclusive. */
  set?: { min: number; max: number | bigint; apply: (value: number) => void }
}

const int64Max = 2n ** 63n - 1n

/** A bytes figure with Redis's units, or NaN. */
function readBytes(text: string): number {
  const parts = /^([0-9]+)(b|k|kb|m|mb|g|gb)?$/i.exec(text)
  if (parts === null) return Number.NaN
  const units: Record<string, number> = { b: 1, k: 1e3, kb: 1024, m: 1e6, mb: 1024 ** 2, g: 1e9, gb: 1024 ** 3 }
  return Number(parts[1]) * units[(parts[2] ?? 'b').toLowerCase()]!
}

/** Redis's configuration parameters as far as they mean something here: what clients and tools ask for, and the limits. */
export class ConfigParameters {
  readonly #parameters: readonly Parameter[]

  constructor(
    limits: RespLimits,
    slowLog: SlowLog,
    latency: LatencyEvents,
    valueBytesMax: number,
    address: () => { host: string; port: number },
    directory: string,
  ) {
    const fixed = (name: string, value: string): Parameter => ({ name, get: () => value })
    const kept = (name: string, value: string): Parameter => ({ ...fixed(name, value), keepable: true })
    const limit = (name: string, key: keyof RespLimits, unit: number, min: number): Parameter => ({
      name,
      get: () => String(Math.round(limits[key] / unit)),
      set: {
        min,
        max: 2 ** 31 - 1,
        apply: (value) => {
          limits[key] = value * unit
        },
      },
    })
    this.#parameters = [
      // Every write goes to a log at once; there are no snapshots to schedule.
      kept('appendonly', 'yes'),
      kept('save', ''),
      fixed('databases', '1'),
      fixed('cluster-enabled', 'no'),
      kept('maxmemory', '0'),
      kept('maxmemory-policy', 'noeviction'),
      fixed('io-threads', '1'),
      fixed('proto-max-bulk-len', String(valueBytesMax)),
      fixed('dir', directory),
      { name: 'port', get: () => String(address().port) },
      { name: 'bind', get: () => address().host },
      limit('maxclients', 'clientsMax', 1, 1),
      limit('timeout', 'idleTimeoutMs', 1000, 0),
      limit('tcp-keepalive', 'keepAliveMs', 1000, 0),
      limit('client-query-buffer-limit', 'queryBytesMax', 1, 1024 * 1024),
      limit('maxmemory-clients', 'clientsBytesMax', 1, 1024 * 1024),
      {
        name: 'client-output-buffer-limit',
        get: () =>
          `normal ${limits.outputBytesMax} ${limits.outputBytesSoft} ${Math.round(limits.slowReaderMs / 1000)}`,
      },
      {
        name: 'slowlog-log-slower-than',
        get: () => String(slowLog.threshold),
        set: {
          min: -1,
          max: int64Max,
          apply: (value) => {
            slowLog.threshold = value
          },
        },
      },
      {
        name: 'slowlog-max-len',
        get: () => String(slowLog.entriesMax),
        set: {
          min: 0,
          // Each entry can hold some kilobytes.
          max: 10_000,
          apply: (value) => {
            slowLog.entriesMax = value
            slowLog.trim()
          },
        },
      },
      {
        name: 'latency-monitor-threshold',
        get: () => String(latency.threshold),
        set: {
          min: 0,
          max: int64Max,
          apply: (value) => {
            latency.threshold = value
          },
        },
      },
    ]
  }

  /** Name and value of each parameter that `matches`. */
  list(matches: (name: string) => boolean): [string, string][] {
    return this.#parameters.filter(({ name }) => matches(name)).map(({ name, get }) => [name, get()])
  }

  /** All of the changes or none; the text after `ERR ` when one is refused. */
  change(pairs: readonly (readonly [name: string, value: string])[]): string | undefined {
    const changes: (() => void)[] = []
    const seen = new Set<string>()
    for (const [given, text] of pairs) {
      const parameter = this.#parameters.find(({ name }) => name === given.toLowerCase())
      if (parameter === undefined) return `Unknown option or number of arguments for CONFIG SET - '${given}'`
      const refusal = (reason: string) => `CONFIG SET failed (possibly related to argument '${given}') - ${reason}`
      const { set } = parameter
      if (parameter.keepable && text === parameter.get()) continue
      if (set === undefined) return refusal("can't set immutable config")
      if (seen.has(parameter.name)) return refusal('duplicate parameter')
      seen.add(parameter.name)
      const value = /^-?[0-9]+$/.test(text) ? Number(text) : readBytes(text)
      if (Number.isNaN(value)) return refusal("argument couldn't be parsed into an integer")
      if (value < set.min || value > set.max)
        return refusal(`argument must be between ${set.min} and ${set.max} inclusive`)
      changes.push(() => set.apply(value))
    }
    for (const apply of changes) apply()
    return undefined
  }
}
