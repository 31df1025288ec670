import { keyBytesMax } from '@caskade/engine'
import { type JsonScanner, type JsonSlice, utf8Of } from '../json/json-scanner.js'
import { valueTag } from '../value-tag.js'
import { type Condition, ifNotExists } from './condition.js'
import { HttpError } from './http-error.js'

/** One write as a body states it. Key and value may be views of the body. */
export interface Write {
  type: 'put' | 'delete'
  key: Buffer
  value: Buffer
  tag: number
  /** Milliseconds since the epoch; 0: never. */
  expiresAt: number
  /** The node's clock when the request was read, in milliseconds since the epoch. */
  writtenAt: number
  condition: Condition | undefined
}

export interface DecoderLimits {
  /** Of a value as stored. */
  valueBytesMax: number
  /** Milliseconds since the epoch. */
  now: number
}

const empty = Buffer.alloc(0)

export function checkKeyLength(length: number): void {
  if (length < 1 || length > keyBytesMax)
    throw new HttpError('CASKADE_INVALID_KEY', `a key has 1 to ${keyBytesMax} bytes, not ${length}`)
}

export function checkValueLength(length: number, valueBytesMax: number): void {
  if (length > valueBytesMax)
    throw new HttpError(
      'CASKADE_TOO_LARGE',
      `a value has at most ${valueBytesMax} bytes here (value-bytes-max), not ${length}`,
    )
}

export function base64Bytes(text: string, what: string, code: 'CASKADE_INVALID_KEY' | 'CASKADE_INVALID_VALUE'): Buffer {
  // Buffer.from skips what is not base64: only a strict form is sure to be what the client meant.
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw new HttpError(code, `${what} is not base64 (letters, digits, "+", "/", padded with "=")`)
  return Buffer.from(text, 'base64')
}

/** A key: a string, or `{"base64": "…"}` for bytes that are no UTF-8. */
export function readKey(scanner: JsonScanner): Buffer {
  let key: Buffer | undefined
  if (scanner.peek() === 0x7b) {
    scanner.object((name) => {
      if (name !== 'base64' || key !== undefined) unknownMember(name, 'a key object', ['base64'])
      key = base64Bytes(scanner.string(), 'the key', 'CASKADE_INVALID_KEY')
    })
    if (key === undefined) throw new HttpError('CASKADE_INVALID_KEY', 'a key is a string, or {"base64": "…"}')
  } else {
    if (scanner.peek() !== 0x22) scanner.fail('a key: a string, or {"base64": "…"}')
    key = utf8Of(scanner.bytes, scanner.stringSlice())
    if (key === undefined)
      throw new HttpError(
        'CASKADE_INVALID_KEY',
        'a key cannot hold a lone surrogate: it has no UTF-8; use {"base64": "…"} for such bytes',
      )
  }
  checkKeyLength(key.length)
  return key
}

function unknownMember(name: string, where: string, known: readonly string[]): never {
  throw new HttpError(
    'CASKADE_BAD_REQUEST',
    known.includes(name)
      ? `${where} names "${name}" twice`
      : `${where} has no member ${JSON.stringify(name)}: it takes ${known.join(', ')}`,
  )
}

/** `"ifNotExists"` or `{"ifVersion": n}`. */
function readCondition(scanner: JsonScanner): Condition {
  if (scanner.peek() === 0x22) {
    const text = scanner.string()
    if (text === 'ifNotExists') return ifNotExists
    throw new HttpError(
      'CASKADE_BAD_REQUEST',
      `a condition is "ifNotExists" or {"ifVersion": n}, not ${JSON.stringify(text)}`,
    )
  }
  let version: number | undefined
  scanner.object((name) => {
    if (name !== 'ifVersion' || version !== undefined) unknownMember(name, 'a condition', ['ifVersion'])
    version = scanner.number()
  })
  if (version === undefined || !Number.isSafeInteger(version) || version < 0)
    throw new HttpError(
      'CASKADE_BAD_REQUEST',
      'ifVersion is a version as this API gave it: a whole number, 0 for "does not exist"',
    )
  return { kind: 'equals', versions: [version] }
}

/** When a record that lives `ttlSeconds` from `now` on is gone. */
export function expiryOf(ttlSeconds: number, now: number): number {
  const expiresAt = Math.ceil(now + ttlSeconds * 1000)
  if (!(ttlSeconds > 0) || !Number.isSafeInteger(expiresAt))
    throw new HttpError('CASKADE_BAD_REQUEST', `ttlSeconds is a number of seconds above 0, not ${ttlSeconds}`)
  return expiresAt
}

function storedValue(
  scanner: JsonScanner,
  slice: JsonSlice,
  encoding: string | undefined,
): { value: Buffer; tag: number } {
  if (encoding === 'base64') {
    if (slice.kind === 'other')
      throw new HttpError('CASKADE_INVALID_VALUE', 'with "encoding": "base64" the value is a string')
    const text = utf8Of(scanner.bytes, slice)?.toString('latin1') ?? '?'
    return { value: base64Bytes(text, 'the value', 'CASKADE_INVALID_VALUE'), tag: valueTag.binary }
  }
  if (slice.kind === 'other') return { value: scanner.bytes.subarray(slice.start, slice.end), tag: valueTag.json }
  const value = utf8Of(scanner.bytes, slice)
  if (value === undefined)
    throw new HttpError(
      'CASKADE_INVALID_VALUE',
      'a string value cannot hold a lone surrogate: it has no UTF-8; use "encoding": "base64" for such bytes',
    )
  return { value, tag: valueTag.text }
}

const putMembers = ['value', 'encoding', 'condition', 'ttlSeconds', 'expiresAt']
const operationMembers = ['type', 'key', ...putMembers]

/**
 * Reads one write at the scanner: `{"value", …}` when the key is known, else an operation `{"key", "value", …}` or
 * `{"type": "delete", "key"}`. Throws `HttpError` or `JsonSyntaxError`.
 */
export function readWrite(scanner: JsonScanner, limits: DecoderLimits, knownKey?: Buffer): Write {
  const where = knownKey === undefined ? 'an operation' : 'the body'
  const members = knownKey === undefined ? operationMembers : putMembers
  let type: string | undefined
  let key = knownKey
  let slice: JsonSlice | undefined
  let encoding: string | undefined
  let condition: Condition | undefined
  let ttlSeconds: number | undefined
  let expiresAt: number | undefined
  const seen = new Set<string>()
  if (scanner.peek() !== 0x7b) scanner.fail(`${where}: an object with ${members.join(', ')}`)
  scanner.object((name) => {
    if (seen.has(name) || !members.includes(name)) unknownMember(name, where, members)
    seen.add(name)
    if (name === 'value') slice = scanner.value()
    else if (name === 'key') key = readKey(scanner)
    else if (name === 'type') type = scanner.string()
    else if (name === 'encoding') encoding = scanner.string()
    else if (name === 'condition') condition = readCondition(scanner)
    else if (name === 'ttlSeconds') ttlSeconds = scanner.number()
    else expiresAt = scanner.number()
  })
  if (key === undefined) throw new HttpError('CASKADE_BAD_REQUEST', `${where} needs "key"`)
  if (type === 'delete') {
    if (slice ?? encoding ?? ttlSeconds ?? expiresAt)
      throw new HttpError('CASKADE_BAD_REQUEST', 'an operation of type "delete" takes only "key" and "condition"')
    return { type, key, value: empty, tag: 0, expiresAt: 0, writtenAt: limits.now, condition }
  }
  if (type !== undefined && type !== 'put')
    throw new HttpError('CASKADE_BAD_REQUEST', `"type" is "put" or "delete", not ${JSON.stringify(type)}`)
  if (slice === undefined) throw new HttpError('CASKADE_BAD_REQUEST', `${where} needs "value"`)
  if (encoding !== undefined && encoding !== 'base64')
    throw new HttpError('CASKADE_BAD_REQUEST', `"encoding" is "base64" or absent, not ${JSON.stringify(encoding)}`)
  if (ttlSeconds !== undefined && expiresAt !== undefined)
    throw new HttpError('CASKADE_BAD_REQUEST', 'give "ttlSeconds" or "expiresAt", not both')
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt >= 0))
    throw new HttpError(
      'CASKADE_BAD_REQUEST',
      `expiresAt is in whole milliseconds since the epoch, 0 for never, not ${expiresAt}`,
    )
  const { value, tag } = storedValue(scanner, slice, encoding)
  checkValueLength(value.length, limits.valueBytesMax)
  return {
    type: 'put',
    key,
    value,
    tag,
    expiresAt: ttlSeconds === undefined ? (expiresAt ?? 0) : expiryOf(ttlSeconds, limits.now),
    writtenAt: limits.now,
    condition,
  }
}
