import { segmentBytesMax } from './lsm/memtable/segment-format.js'
import type { OpenOptions } from './store.js'

interface Rule {
  expected: string
  error: typeof TypeError | typeof RangeError
  allows(value: unknown): boolean
}

const oneOf = (...names: string[]): Rule => ({
  expected: names.map((name) => `'${name}'`).join(' or '),
  error: TypeError,
  allows: (value) => names.includes(value as string),
})
const wholeNumber = (unit: string, min: number, max: number): Rule => ({
  expected: `a whole number of ${unit} from ${min} to ${max}`,
  error: RangeError,
  allows: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
})
const ofType = (type: 'boolean' | 'function'): Rule => ({
  expected: `a ${type}`,
  error: TypeError,
  allows: (value) => typeof value === type,
})

const rules: Record<keyof OpenOptions, Rule> = {
  store: oneOf('lsm', 'bitcask'),
  durability: oneOf('os', 'interval', 'sync'),
  // Beyond it a timer fires at once.
  syncIntervalMs: wholeNumber('milliseconds', 1, 2 ** 31 - 1),
  memtableBytes: wholeNumber('bytes', 8 << 10, segmentBytesMax),
  changesBytes: wholeNumber('bytes', 0, Number.MAX_SAFE_INTEGER),
  dataFileBytes: wholeNumber('bytes', 8 << 10, segmentBytesMax),
  cacheBytes: wholeNumber('bytes', 0, Number.MAX_SAFE_INTEGER),
  mappedBytes: wholeNumber('bytes', 0, Number.MAX_SAFE_INTEGER),
  bloomBitsPerKey: wholeNumber('bits', 0, 64),
  compression: oneOf('lz4', 'none'),
  // A block of one record may be larger; a smaller bound than this one would only waste space.
  blockBytes: wholeNumber('bytes', 64, 1 << 20),
  tableBytes: wholeNumber('bytes', 1, Number.MAX_SAFE_INTEGER),
  mmap: oneOf('auto', 'off'),
  damagedTables: oneOf('stop', 'set-aside'),
  readOnly: ofType('boolean'),
  clock: ofType('function'),
  onEvent: ofType('function'),
}

/** Throws a `TypeError` or `RangeError` that names the option, what was expected and what came; `undefined` is the default. */
export function checkOpenOptions(directory: string, options: OpenOptions): void {
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw new TypeError(`the directory of a store is a path, not ${shown(directory)}`)
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of openStore are an object, not ${shown(options)}`)
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof OpenOptions] : undefined
    if (rule === undefined)
      throw new TypeError(`openStore has no option ${shown(name)}; it has ${Object.keys(rules).join(', ')}`)
    if (value === undefined || rule.allows(value)) continue
    const error = rule.error === RangeError && typeof value !== 'number' ? TypeError : rule.error
    throw new error(`the option ${name} is ${rule.expected}, not ${shown(value)}`)
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value)
  return typeof value === 'bigint' ? `${value}n` : `a value of type ${typeof value}`
}
