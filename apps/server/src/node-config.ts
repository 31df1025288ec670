import type { Durability, StoreKind } from '@caskade/engine'
import { passwordFrom } from './config/load-config.js'
import type { Config } from './config/resolve-config.js'
import { settingNamed } from './config/settings.js'
import type { HttpLimits } from './http/http-server.js'

/** Everything a node is started with. `resolveNodeConfig` fills in what is left out. */
export interface NodeConfig {
  dataDir: string
  store: StoreKind
  durability: Durability
  syncIntervalMs: number
  memtableBytes: number
  cacheBytes: number
  mmap: 'auto' | 'off'
  valueBytesMax: number
  respHost: string
  /** 0: any free port; the node says which. */
  respPort: number
  httpHost: string
  httpPort: number
  maxClients: number
  password: string | undefined
  insecure: boolean
  drainMs: number
  logLevel: string
  logFile: string | undefined
  /** Tighter bounds on HTTP clients than the standard ones: for tests. */
  httpLimits: Partial<HttpLimits>
  /** Milliseconds since the epoch. */
  clock: () => number
}

const number = (name: string) => settingNamed.get(name)?.default as number
const text = (name: string) => settingNamed.get(name)?.default as string

/** The defaults of the settings table, except for a silent log: what a program that embeds a node wants. */
export function resolveNodeConfig(given: Partial<NodeConfig>): NodeConfig {
  return {
    dataDir: text('data-dir'),
    store: 'lsm',
    durability: 'os',
    syncIntervalMs: number('sync-interval-ms'),
    memtableBytes: number('memtable-bytes'),
    cacheBytes: number('cache-bytes'),
    mmap: 'auto',
    valueBytesMax: number('value-bytes-max'),
    respHost: text('resp-host'),
    respPort: number('resp-port'),
    httpHost: text('http-host'),
    httpPort: number('http-port'),
    maxClients: number('max-clients'),
    password: undefined,
    insecure: false,
    drainMs: number('drain-ms'),
    logLevel: 'silent',
    logFile: undefined,
    httpLimits: {},
    clock: Date.now,
    ...given,
  }
}

/** What `caskade server` starts with; `logLevel` is the one to use where none is set. */
export async function nodeConfigFrom(config: Config, logLevel: string): Promise<NodeConfig> {
  return resolveNodeConfig({
    dataDir: config.text('data-dir'),
    store: config.text('store') as NodeConfig['store'],
    durability: config.text('durability') as Durability,
    syncIntervalMs: config.number('sync-interval-ms'),
    memtableBytes: config.number('memtable-bytes'),
    cacheBytes: config.number('cache-bytes'),
    mmap: config.text('mmap') as NodeConfig['mmap'],
    valueBytesMax: config.number('value-bytes-max'),
    respHost: config.text('resp-host'),
    respPort: config.number('resp-port'),
    httpHost: config.text('http-host'),
    httpPort: config.number('http-port'),
    maxClients: config.number('max-clients'),
    password: await passwordFrom(config),
    insecure: config.boolean('insecure'),
    drainMs: config.number('drain-ms'),
    logLevel: config.optionalText('log-level') ?? logLevel,
    logFile: config.optionalText('log-file'),
  })
}
