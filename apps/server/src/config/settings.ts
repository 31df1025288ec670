import type { SettingType, SettingValue } from './setting-type.js'

/** One thing a person can set. Flag, variable, config-file key and documentation all derive from this table. */
export interface Setting {
  /** Kebab-case: `--name`, `CASKADE_NAME` and the key in the config file. */
  name: string
  /** One letter. */
  short?: string
  type: SettingType
  /** Least and greatest number. */
  min?: number
  max?: number
  /** Absent: unset unless given. */
  default?: SettingValue
  /** What applies where it is unset, for people. */
  unset?: string
  help: string
  /** Hidden wherever values are shown. */
  secret?: boolean
  /** The subcommands that take it. */
  commands: readonly string[]
}

const server = ['server'] as const
const clients = ['get', 'put', 'del', 'scan', 'import', 'export', 'status', 'bench'] as const
const serverAndClients = [...server, ...clients] as const

export const settings = [
  // Where and how the node keeps data.
  {
    name: 'data-dir',
    type: 'path',
    default: './data',
    help: 'directory that holds the data',
    commands: ['server', 'check', 'repair'],
  },
  {
    name: 'store',
    type: { oneOf: ['lsm', 'bitcask'] },
    default: 'lsm',
    help: 'storage backend: ordered, or one lookup a read',
    commands: ['server', 'convert'],
  },
  {
    name: 'durability',
    type: { oneOf: ['os', 'interval', 'sync'] },
    default: 'os',
    help: 'what an acknowledged write survives: the death of the process (os), also of the machine except for the last sync-interval-ms (interval), also of the machine (sync)',
    commands: server,
  },
  {
    name: 'sync-interval-ms',
    type: 'integer',
    min: 1,
    default: 1000,
    help: 'milliseconds between syncs with durability interval',
    commands: server,
  },
  {
    name: 'memtable-bytes',
    type: 'bytes',
    default: 67_108_864,
    help: 'size of a log segment, which is also the memtable',
    commands: server,
  },
  {
    name: 'cache-bytes',
    type: 'bytes',
    default: 67_108_864,
    help: 'bound of the cache of decompressed blocks',
    commands: server,
  },
  {
    name: 'mmap',
    type: { oneOf: ['auto', 'off'] },
    default: 'auto',
    help: 'map files into memory where the machine can (auto), or read and write them (off)',
    commands: ['server', 'check', 'repair'],
  },
  {
    name: 'value-bytes-max',
    type: 'bytes',
    min: 65_536,
    max: 268_435_456,
    default: 8_388_608,
    help: 'longest value the node takes',
    commands: server,
  },
  // Where it listens.
  { name: 'resp-host', type: 'text', default: '127.0.0.1', help: 'address of the Redis port', commands: server },
  { name: 'resp-port', type: 'port', default: 7379, help: 'Redis port', commands: ['server', 'bench'] },
  {
    name: 'http-host',
    type: 'text',
    default: '127.0.0.1',
    help: 'address of the HTTP port',
    commands: serverAndClients,
  },
  { name: 'http-port', type: 'port', default: 7380, help: 'HTTP port', commands: serverAndClients },
  {
    name: 'max-clients',
    type: 'integer',
    min: 1,
    default: 10_000,
    help: 'connections at once, on each port',
    commands: server,
  },
  {
    name: 'password',
    type: 'text',
    secret: true,
    help: 'password that clients must give; better in a file: flags are seen by others on the machine',
    commands: serverAndClients,
  },
  {
    name: 'password-file',
    type: 'path',
    help: 'file whose first line is the password; no one but its owner may read it (mode 0600)',
    commands: serverAndClients,
  },
  {
    name: 'insecure',
    type: 'boolean',
    default: false,
    help: 'listen on other than loopback addresses without a password',
    commands: server,
  },
  {
    name: 'drain-ms',
    type: 'integer',
    default: 10_000,
    help: 'milliseconds that running requests get when the node stops',
    commands: server,
  },
  // What it tells.
  {
    name: 'log-level',
    type: { oneOf: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] },
    unset: 'info; warn where the log goes to a terminal',
    help: 'least severe log lines to write',
    commands: server,
  },
  {
    name: 'log-file',
    type: 'path',
    unset: 'standard error',
    help: 'file that log lines (JSON) are appended to',
    commands: server,
  },
  // What clients do.
  {
    name: 'url',
    type: 'text',
    unset: 'http-host and http-port',
    help: 'address of the node, such as http://127.0.0.1:7380',
    commands: clients,
  },
  {
    name: 'timeout-ms',
    type: 'integer',
    min: 1,
    default: 30_000,
    help: 'milliseconds until a request is given up',
    commands: clients,
  },
  {
    name: 'output',
    short: 'o',
    type: { oneOf: ['table', 'json', 'ndjson'] },
    default: 'table',
    help: 'form of the output: for people (table) or programs (json, ndjson)',
    commands: [...clients, 'check', 'repair', 'config print'],
  },
  {
    name: 'key-base64',
    type: 'boolean',
    default: false,
    help: 'keys on the command line are base64',
    commands: ['get', 'put', 'del'],
  },
  {
    name: 'type',
    short: 't',
    type: { oneOf: ['text', 'json', 'binary'] },
    default: 'text',
    help: 'how to store the value',
    commands: ['put'],
  },
  {
    name: 'file',
    short: 'f',
    type: 'path',
    help: 'read the value from this file; - is standard input',
    commands: ['put'],
  },
  { name: 'ttl-seconds', type: 'number', help: 'the record is gone after this many seconds', commands: ['put'] },
  {
    name: 'if-not-exists',
    type: 'boolean',
    default: false,
    help: 'only if there is no such record',
    commands: ['put'],
  },
  { name: 'if-version', type: 'integer', help: 'only if the record is at this version', commands: ['put', 'del'] },
  { name: 'prefix', short: 'p', type: 'text', help: 'only keys that start with this', commands: ['scan', 'export'] },
  {
    name: 'limit',
    short: 'n',
    type: 'integer',
    unset: 'all',
    help: 'at most this many records',
    commands: ['scan', 'export'],
  },
  { name: 'keys-only', type: 'boolean', default: false, help: 'keys without values', commands: ['scan'] },
  {
    name: 'batch-records',
    type: 'integer',
    min: 1,
    max: 9999,
    default: 1000,
    help: 'records in one request',
    commands: ['import'],
  },
  {
    name: 'batch-bytes',
    type: 'bytes',
    min: 1,
    max: 8_388_608,
    default: 524_288,
    help: 'bytes in one request, more or less',
    commands: ['import'],
  },
  {
    name: 'in-flight',
    type: 'integer',
    min: 1,
    max: 64,
    default: 4,
    help: 'requests under way at once',
    commands: ['import'],
  },
  {
    name: 'restart',
    type: 'boolean',
    default: false,
    help: 'begin at the beginning, even where an earlier run could be resumed',
    commands: ['import', 'export'],
  },
  { name: 'progress', type: 'boolean', default: true, help: 'show how far it is', commands: ['import', 'export'] },
  { name: 'requests', type: 'integer', min: 1, default: 100_000, help: 'requests of each kind', commands: ['bench'] },
  { name: 'clients', type: 'integer', min: 1, max: 1000, default: 50, help: 'connections', commands: ['bench'] },
  {
    name: 'pipeline',
    type: 'integer',
    min: 1,
    max: 10_000,
    default: 16,
    help: 'requests that each connection has under way',
    commands: ['bench'],
  },
  { name: 'value-bytes', type: 'bytes', default: 100, help: 'size of a value', commands: ['bench'] },
] as const satisfies readonly Setting[]

export type SettingName = (typeof settings)[number]['name']

export const settingNamed: ReadonlyMap<string, Setting> = new Map(settings.map((setting) => [setting.name, setting]))

export const variableOf = (name: string): string => `CASKADE_${name.toUpperCase().replaceAll('-', '_')}`
