import type { Target } from './connection-run.js'
import { type FailCondition, parseFailIf } from './fail-if.js'
import { type Distribution, distributions, type Hotspot } from './key-chooser.js'
import { parseCount, parseDuration, parseFraction, parseTarget } from './quantity.js'
import { taggedBytesMin } from './value-codec.js'
import { benchName, operationNames, type Workload, workloadNamed, workloads } from './workload.js'

type Protocol = 'resp' | 'http'
export const storeKinds = ['lsm', 'bitcask'] as const
export type StoreKind = (typeof storeKinds)[number]
type PhaseChoice = 'both' | 'load' | 'run' | 'verify'

/** Keys that a read operation may ask for at once. */
const readBatchMax = 1000
/** Requests in flight of all connections together: bounds the memory of the generator. */
const inFlightMax = 1_000_000
const valueBytesMax = 8 * 1024 * 1024
const defaultPorts: Record<Protocol, number> = { resp: 7379, http: 7380 }

/** What a run does, validated. Times in milliseconds. */
export interface Settings {
  workload: Workload
  phase: PhaseChoice
  protocol: Protocol
  targets: Target[]
  /** Backends of nodes that are started for the run, one after the other; none: the targets are there. */
  stores: StoreKind[]
  password: string | undefined
  records: number
  operations: number
  durationMs: number
  warmUpMs: number
  rate: number | undefined
  connections: number
  pipeline: number
  readBatch: number
  valueBytes: number
  hotspot: Hotspot
  keyPrefix: string
  seed: number
  verify: boolean
  stateFile: string | undefined
  timeoutMs: number
  reconnectMs: number
  bench: string
  subject: string
  failIf: FailCondition[]
  json: boolean
  quiet: boolean
  hgrmFile: string | undefined
  htmlFile: string | undefined
}

/** Options as the command line gives them. */
export interface RawOptions {
  workload: string
  phase: string
  protocol: string
  target: string[]
  store?: string
  password?: string
  records: string
  operations?: string
  duration?: string
  warmup: string
  rate?: string
  connections: string
  pipeline: string
  readBatch: string
  fieldCount?: string
  fieldBytes?: string
  valueBytes?: string
  distribution?: string
  hotspotRecords: string
  hotspotOperations: string
  scanLengthMax?: string
  keyPrefix: string
  seed: string
  verify?: boolean
  verifyOnly?: boolean
  state?: string
  timeout: string
  reconnect: string
  bench?: string
  subject?: string
  failIf: string[]
  json?: boolean
  quiet?: boolean
  hgrm?: string
  html?: string
}

/** Throws an Error that says what is wrong and what to do. */
export function settingsOf(raw: RawOptions): Settings {
  const protocol = choice('--protocol', raw.protocol, ['resp', 'http'] as const)
  const phase = raw.verifyOnly ? 'verify' : choice('--phase', raw.phase, ['both', 'load', 'run'] as const)
  const workload = workloadOf(raw)
  const records = parseCount('--records', raw.records, 1, 2 ** 31)
  const targets = (raw.target.length === 0 ? [`127.0.0.1:${defaultPorts[protocol]}`] : raw.target).map(parseTarget)
  const limits = limitsOf(raw)
  const settings: Settings = {
    workload,
    phase,
    protocol,
    targets,
    stores: storesOf(raw),
    password: raw.password,
    records,
    ...limits,
    warmUpMs: parseDuration('--warmup', raw.warmup),
    rate: raw.rate === undefined ? undefined : parseCount('--rate', raw.rate, 1),
    connections: parseCount('--connections', raw.connections, 1, 10_000),
    pipeline: parseCount('--pipeline', raw.pipeline, 1, 65_536),
    readBatch: parseCount('--read-batch', raw.readBatch, 1, readBatchMax),
    valueBytes:
      raw.valueBytes === undefined
        ? workload.fieldCount * workload.fieldBytes
        : parseCount('--value-bytes', raw.valueBytes, 1),
    hotspot: {
      records: parseFraction('--hotspot-records', raw.hotspotRecords),
      operations: parseFraction('--hotspot-operations', raw.hotspotOperations),
    },
    keyPrefix: raw.keyPrefix,
    seed: parseCount('--seed', raw.seed, 0),
    verify: raw.verify === true || raw.verifyOnly === true,
    stateFile: raw.state,
    timeoutMs: parseDuration('--timeout', raw.timeout),
    reconnectMs: parseDuration('--reconnect', raw.reconnect),
    bench: raw.bench ?? benchName(workload),
    subject: raw.subject ?? `${protocol}://${targets.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    failIf: raw.failIf.map(parseFailIf),
    json: raw.json === true,
    quiet: raw.quiet === true,
    hgrmFile: raw.hgrm,
    htmlFile: raw.html,
  }
  refuseContradictions(settings)
  return settings
}

function workloadOf(raw: RawOptions): Workload {
  const workload = workloadNamed(raw.workload)
  if (workload === undefined) {
    throw new Error(`--workload takes ${workloads.map(({ name }) => name).join(', ')}, not '${raw.workload}'`)
  }
  const count = (name: string, text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : parseCount(name, text, 1, valueBytesMax)
  return {
    ...workload,
    distribution:
      raw.distribution === undefined
        ? workload.distribution
        : choice<Distribution>('--distribution', raw.distribution, distributions),
    fieldCount: count('--field-count', raw.fieldCount, workload.fieldCount),
    fieldBytes: count('--field-bytes', raw.fieldBytes, workload.fieldBytes),
    scanLengthMax:
      raw.scanLengthMax === undefined
        ? workload.scanLengthMax
        : parseCount('--scan-length-max', raw.scanLengthMax, 1, 10_000),
  }
}

function storesOf({ store, target }: RawOptions): StoreKind[] {
  if (store === undefined) return []
  if (target.length > 0)
    throw new Error('--store starts nodes of its own, --target names one that runs: give one of them')
  const stores = store.split(',').map((name) => choice('--store', name, storeKinds))
  if (new Set(stores).size < stores.length) throw new Error(`--store names each backend once, not '${store}'`)
  return stores
}

/** Ten seconds unless told otherwise. */
function limitsOf(raw: RawOptions): { operations: number; durationMs: number } {
  if (raw.operations !== undefined && raw.duration !== undefined) {
    throw new Error('--operations and --duration both end the run: give one of them')
  }
  if (raw.operations !== undefined) {
    return { operations: parseCount('--operations', raw.operations, 1), durationMs: Number.POSITIVE_INFINITY }
  }
  const durationMs = parseDuration('--duration', raw.duration ?? '10s')
  if (durationMs <= 0) throw new Error('--duration takes more than 0 s')
  return { operations: Number.POSITIVE_INFINITY, durationMs }
}

function refuseContradictions(settings: Settings): void {
  refuseForNewNodes(settings)
  const { phase, protocol, workload, verify, stateFile, valueBytes, keyPrefix } = settings
  if (phase !== 'load' && phase !== 'verify' && protocol === 'resp' && workload.proportions[3] > 0) {
    throw new Error(
      `workload ${workload.name} scans ranges in key order, and RESP's SCAN has no order: use --protocol http`,
    )
  }
  if (settings.connections * settings.pipeline * settings.readBatch > inFlightMax) {
    throw new Error(`--connections x --pipeline x --read-batch may be ${inFlightMax} at most`)
  }
  if (valueBytes > valueBytesMax) throw new Error(`values are ${valueBytesMax} bytes at most, not ${valueBytes}`)
  if (verify && phase !== 'verify' && valueBytes < taggedBytesMin) {
    throw new Error(
      `--verify needs values of at least ${taggedBytesMin} bytes (they carry key, sequence and checksum), not ${valueBytes}`,
    )
  }
  if (phase === 'verify' && stateFile === undefined) {
    throw new Error('--verify-only needs --state FILE, as written by a run with --verify --state FILE')
  }
  if (phase === 'run' && verify && stateFile === undefined) {
    throw new Error(
      '--phase run --verify needs --state FILE, written by --phase load --verify --state FILE: it says what the records hold',
    )
  }
  if (stateFile !== undefined && !verify)
    throw new Error('--state keeps what --verify learns: give --verify too, or --verify-only')
  if (!/^[A-Za-z0-9._~:-]{0,200}$/.test(keyPrefix)) {
    throw new Error(
      `--key-prefix takes up to 200 letters, digits and . _ ~ : - (it stands in URLs), not '${keyPrefix}'`,
    )
  }
}

/** A node that is started for the run holds nothing, and is gone after it. */
function refuseForNewNodes({ stores, phase, stateFile, htmlFile, hgrmFile }: Settings): void {
  if (stores.length === 0) return
  if (phase === 'run' || phase === 'verify' || stateFile !== undefined)
    throw new Error('--store starts nodes without records: leave out --phase run, --state and --verify-only')
  if (stores.length > 1 && (htmlFile !== undefined || hgrmFile !== undefined))
    throw new Error('--html and --hgrm hold one run: give one --store')
}

function choice<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((each) => each === text.toLowerCase())
  if (found === undefined) throw new Error(`${name} takes ${choices.join(', ')}, not '${text}'`)
  return found
}

/** The settings that explain the figures of one phase, for the reports. */
export function describeSettings(settings: Settings, phase: 'load' | 'run' | 'verify'): Record<string, string> {
  return {
    ...(phase === 'run' ? describeRun(settings) : {}),
    records: String(settings.records),
    'value bytes': String(settings.valueBytes),
    protocol: settings.protocol,
    target: settings.targets.map(({ host, port }) => `${host}:${port}`).join(', '),
    connections: String(settings.connections),
    pipeline: String(settings.pipeline),
    verify: settings.verify ? 'yes' : 'no',
    'Node.js': process.version,
  }
}

function describeRun(settings: Settings): Record<string, string> {
  const { workload, hotspot, operations, durationMs } = settings
  const mix = workload.proportions.flatMap((proportion, kind) =>
    proportion > 0 ? [`${Math.round(proportion * 100)} % ${operationNames[kind]}`] : [],
  )
  return {
    workload: `${workload.name}: ${workload.title} (${mix.join(', ')})`,
    distribution:
      workload.distribution === 'hotspot'
        ? `hotspot (${hotspot.operations} of operations to ${hotspot.records} of records)`
        : workload.distribution,
    ...(settings.readBatch > 1 ? { 'keys per read': String(settings.readBatch) } : {}),
    loop: settings.rate === undefined ? 'closed' : `open, ${settings.rate} ops/s`,
    length: operations === Number.POSITIVE_INFINITY ? `${durationMs / 1000} s` : `${operations} operations`,
    'warm-up': `${settings.warmUpMs / 1000} s`,
    seed: String(settings.seed),
  }
}
