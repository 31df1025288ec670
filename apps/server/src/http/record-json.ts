import { isUtf8 } from 'node:buffer'
import type { Entry } from '@caskade/engine'
import { valueTag } from '../value-tag.js'

const bufferOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A key as JSON: a string where its bytes are UTF-8, else `{"base64": "…"}`. */
export function keyJson(key: Uint8Array): string {
  const bytes = bufferOf(key)
  return isUtf8(bytes) ? JSON.stringify(bytes.toString()) : `{"base64":"${bytes.toString('base64')}"}`
}

export interface ValueJson {
  /** JSON text: for a JSON value, byte for byte as it was written. */
  json: Buffer
  encoding: 'base64' | undefined
}

/** A stored value as JSON, by its tag. Bytes that are not what the tag says (no UTF-8) are shown as base64. */
export function valueJson(value: Uint8Array, tag: number): ValueJson {
  const bytes = bufferOf(value)
  if (tag === valueTag.json) return { json: bytes, encoding: undefined }
  if (tag !== valueTag.binary && isUtf8(bytes))
    return { json: Buffer.from(JSON.stringify(bytes.toString())), encoding: undefined }
  return { json: Buffer.from(`"${bytes.toString('base64')}"`), encoding: 'base64' }
}

/** The members every answer about a record has, as pieces of text to be joined. */
export function pushRecordJson(pieces: Buffer[], entry: Entry, withValue: boolean): void {
  pieces.push(Buffer.from(`{"key":${keyJson(entry.key)}`))
  if (withValue) {
    const { json, encoding } = valueJson(entry.value, entry.tag)
    pieces.push(Buffer.from(',"value":'), json)
    if (encoding !== undefined) pieces.push(Buffer.from(`,"encoding":"${encoding}"`))
  }
  const expires = entry.expiresAt === 0 ? '' : `,"expiresAt":${entry.expiresAt}`
  const at = entry.writtenAt === 0 ? '' : `,"timestamp":${entry.writtenAt}`
  pieces.push(Buffer.from(`,"version":${entry.sequence}${at}${expires}}`))
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** A JSON text on one line: its line breaks can only be white space between tokens. */
function onOneLine(json: Buffer): Buffer {
  if (!json.includes(lineFeed) && !json.includes(carriageReturn)) return json
  return json.map((byte) => (byte === lineFeed || byte === carriageReturn ? 0x20 : byte)) as Buffer
}

/**
 * A record as a line of an export, which is also an operation of `batch/write`. The spacing is the one of Python's
 * `json.dumps`, which most NDJSON in the world has: what was imported in that form comes out byte for byte.
 */
export function pushRecordLine(pieces: Buffer[], entry: Entry, withValue: boolean): void {
  if (!withValue) {
    pieces.push(Buffer.from(`{"key": ${keyJson(entry.key)}}\n`))
    return
  }
  const { json, encoding } = valueJson(entry.value, entry.tag)
  const coded = encoding === undefined ? '' : `, "encoding": "${encoding}"`
  const expires = entry.expiresAt === 0 ? '' : `, "expiresAt": ${entry.expiresAt}`
  pieces.push(
    Buffer.from(`{"key": ${keyJson(entry.key)}, "value": `),
    onOneLine(json),
    Buffer.from(`${coded}${expires}}\n`),
  )
}
