import {
  type BatchOperation,
  type ChangesOptions,
  type KeyRange,
  keyBytesMax,
  type ScanOptions,
  tagMax,
  valueBytesMax,
  writtenAtMax,
} from './store.js'

/** The checks of every public write and read: a caller's mistake is a TypeError or RangeError, and nothing has happened. */
export function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) throw new TypeError(`a key is a Uint8Array, not ${describe(key)}`)
  checkKeyLength(key.length)
}

export function checkKeyLength(length: number): void {
  if (length < 1 || length > keyBytesMax) throw new RangeError(`a key has 1 to ${keyBytesMax} bytes, not ${length}`)
}

export function checkValue(value: Uint8Array): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`a value is a Uint8Array, not ${describe(value)}`)
  checkValueLength(value.length)
}

export function checkValueLength(length: number): void {
  if (length > valueBytesMax) throw new RangeError(`a value has at most ${valueBytesMax} bytes, not ${length}`)
}

export function checkExpiresAt(expiresAt: number): void {
  if (!Number.isSafeInteger(expiresAt) || expiresAt < 0)
    throw new RangeError(
      `expiresAt is a whole number of milliseconds since the epoch, or 0 for never, not ${expiresAt}`,
    )
}

export function checkTag(tag: number): void {
  if (!Number.isInteger(tag) || tag < 0 || tag > tagMax)
    throw new RangeError(`a tag is a whole number from 0 to ${tagMax}, not ${tag}`)
}

export function checkWrittenAt(writtenAt: number): void {
  if (!Number.isInteger(writtenAt) || writtenAt < 0 || writtenAt > writtenAtMax)
    throw new RangeError(
      `writtenAt is a whole number of milliseconds since the epoch up to ${writtenAtMax}, or 0 for not recorded, not ${writtenAt}`,
    )
}

export function checkRange(range: KeyRange): void {
  if (typeof range !== 'object' || range === null)
    throw new TypeError(`a range is an object with bounds, not ${describe(range)}`)
  const { gt, gte, lt, lte, prefix } = range
  for (const [name, bound] of Object.entries({ gt, gte, lt, lte, prefix })) {
    if (bound !== undefined && !(bound instanceof Uint8Array))
      throw new TypeError(`${name} of a range is a Uint8Array, not ${describe(bound)}`)
  }
}

export function checkScan(options: ScanOptions): void {
  checkRange(options)
  const { limit, after, onDamage } = options
  if (onDamage !== undefined && typeof onDamage !== 'function')
    throw new TypeError(`onDamage of a scan is a function, not ${describe(onDamage)}`)
  if (after !== undefined && !(after instanceof Uint8Array))
    throw new TypeError(`after of a scan is a Uint8Array, not ${describe(after)}`)
  if (limit !== undefined && !(limit >= 0)) throw new RangeError(`limit of a scan is 0 or more records, not ${limit}`)
}

export function checkChanges(since: number, { limit }: ChangesOptions): void {
  if (!Number.isSafeInteger(since) || since < 0)
    throw new RangeError(`changes are asked for since a sequence, a whole number from 0 on, not ${since}`)
  if (limit !== undefined && !(limit >= 0)) throw new RangeError(`limit of changes is 0 or more, not ${limit}`)
}

export function checkBatchType({ type }: BatchOperation): void {
  if (type !== 'put' && type !== 'delete')
    throw new TypeError(`an operation of a batch is of type 'put' or 'delete', not ${String(type)}`)
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}
