import type { MemberNumber } from '../node/identity.js'
import type { KeyedRecord } from '../store/replica-store.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { messageTypeBase } from '../wire/message-type.js'

/* docs/cluster/repair-format.md: what owners say to each other to become the same. */

const base = messageTypeBase.convergence

export const repairType = {
  compare: base,
  compared: base + 1,
  list: base + 2,
  listed: base + 3,
  fetch: base + 4,
  fetched: base + 5,
  fence: base + 6,
  fenced: base + 7,
  pull: base + 8,
  pulled: base + 9,
  repaired: base + 10,
} as const

/** Begins every message. Members, not nodes: what an earlier life of a node says does not count. */
export interface RepairHeader {
  readonly from: MemberNumber
  readonly to: MemberNumber
  readonly partition: number
  /** The epoch in which the sender's owners of the partition came into force. */
  readonly since: number
}

/** Begins every message of a pull, see `PullPass`. `n`: the keys of buckets with so many replicas. */
export interface PullHeader extends RepairHeader {
  readonly n: number
  /** The puller's number of this question; the answer has it too. */
  readonly ask: number
}

export interface Compare extends PullHeader {
  readonly level: number
  readonly indexes: readonly number[]
  /** Pairs, as `HashTree.hashesOf` gives them. */
  readonly hashes: Uint32Array
}

export interface Compared extends PullHeader {
  readonly status: number
  readonly differing: readonly number[]
}

export interface List extends PullHeader {
  /** Leaves of the hash tree, ascending; `undefined`: all, and the records with the keys. */
  readonly leaves: readonly number[] | undefined
  readonly after: Uint8Array | undefined
  /** The puller rebuilds what is damaged: of a source that is damaged as well it takes what that can read. */
  readonly readable: boolean
}

export interface ListedKey {
  readonly key: Uint8Array
  readonly high: number
  readonly low: number
}

export interface Listed extends PullHeader {
  readonly status: number
  /** Nothing follows after this. */
  readonly isLast: boolean
  /** The last key that was looked at: where to go on. */
  readonly upTo: Uint8Array
  readonly keys: readonly ListedKey[]
  readonly records: readonly KeyedRecord[]
}

export interface Fetch extends PullHeader {
  readonly keys: readonly Uint8Array[]
}

export interface Fetched extends PullHeader {
  readonly status: number
  /** Of the keys asked for, how many were looked at: the rest did not fit. */
  readonly looked: number
  /** Of those, the ones that are there. */
  readonly records: readonly KeyedRecord[]
}

/** A message of a repair round, see `RepairRound`: about everything stamped up to `throughMs`. */
export interface RoundMessage extends RepairHeader {
  readonly throughMs: number
  /** Answers: 0, or why not. */
  readonly status: number
}

const nothing = new Uint8Array(0)

function begin({ from, to, partition, since }: RepairHeader): ByteWriter {
  const writer = new ByteWriter(256)
  writer.u32(from)
  writer.u32(to)
  writer.u16(partition)
  writer.u53(since)
  return writer
}

function beginPull(message: PullHeader): ByteWriter {
  const writer = begin(message)
  writer.u8(message.n)
  writer.u32(message.ask)
  return writer
}

function readHeader(reader: ByteReader): RepairHeader {
  return { from: reader.u32(), to: reader.u32(), partition: reader.u16(), since: reader.u53() }
}

function readPullHeader(reader: ByteReader): PullHeader {
  return { ...readHeader(reader), n: reader.u8(), ask: reader.u32() }
}

function readerOf(body: Uint8Array): ByteReader {
  const reader = new ByteReader()
  reader.reset(body)
  return reader
}

function writeIndexes(writer: ByteWriter, indexes: readonly number[]): void {
  writer.u16(indexes.length)
  for (const index of indexes) writer.u16(index)
}

/** A count of things of at least so many bytes each, checked before anything is made of it. */
function readCount(reader: ByteReader, bytesEach: number): number {
  const count = reader.u16()
  if (count * bytesEach > reader.remaining)
    throw new MalformedFrameError(reader.position, `${count} things of ${bytesEach} bytes, ${reader.remaining} left`)
  return count
}

const readIndexes = (reader: ByteReader) => Array.from({ length: readCount(reader, 2) }, () => reader.u16())

function writeRecords(writer: ByteWriter, records: readonly KeyedRecord[]): void {
  writer.u16(records.length)
  for (const { key, record } of records) {
    writer.shortBytes(key)
    writer.longBytes(record)
  }
}

const readRecords = (reader: ByteReader): KeyedRecord[] =>
  Array.from({ length: readCount(reader, 6) }, () => ({ key: reader.shortBytes(), record: reader.longBytes() }))

const written = (writer: ByteWriter): Uint8Array => writer.buffer.subarray(0, writer.length)

export function encodeCompare(message: Compare): Uint8Array {
  const writer = beginPull(message)
  writer.u8(message.level)
  writeIndexes(writer, message.indexes)
  for (const half of message.hashes) writer.u32(half)
  return written(writer)
}

export function decodeCompare(body: Uint8Array): Compare {
  const reader = readerOf(body)
  const header = readPullHeader(reader)
  const level = reader.u8()
  const indexes = readIndexes(reader)
  if (reader.remaining !== 8 * indexes.length)
    throw new MalformedFrameError(reader.position, `${indexes.length} hashes in ${reader.remaining} bytes`)
  const hashes = Uint32Array.from({ length: 2 * indexes.length }, () => reader.u32())
  return { ...header, level, indexes, hashes }
}

export function encodeCompared(message: Compared): Uint8Array {
  const writer = beginPull(message)
  writer.u8(message.status)
  writeIndexes(writer, message.differing)
  return written(writer)
}

export function decodeCompared(body: Uint8Array): Compared {
  const reader = readerOf(body)
  const message = { ...readPullHeader(reader), status: reader.u8(), differing: readIndexes(reader) }
  reader.expectEnd()
  return message
}

const hasAfter = 1
const allLeaves = 2
const readableWillDo = 4

export function encodeList(message: List): Uint8Array {
  const writer = beginPull(message)
  writer.u8(
    (message.after === undefined ? 0 : hasAfter) |
      (message.leaves === undefined ? allLeaves : 0) |
      (message.readable ? readableWillDo : 0),
  )
  writer.shortBytes(message.after ?? nothing)
  writeIndexes(writer, message.leaves ?? [])
  return written(writer)
}

export function decodeList(body: Uint8Array): List {
  const reader = readerOf(body)
  const header = readPullHeader(reader)
  const flags = reader.u8()
  const after = reader.shortBytes()
  const leaves = readIndexes(reader)
  reader.expectEnd()
  return {
    ...header,
    after: flags & hasAfter ? after : undefined,
    leaves: flags & allLeaves ? undefined : leaves,
    readable: (flags & readableWillDo) !== 0,
  }
}

export function encodeListed(message: Listed): Uint8Array {
  const writer = beginPull(message)
  writer.u8(message.status)
  writer.u8(message.isLast ? 1 : 0)
  writer.shortBytes(message.upTo)
  writer.u16(message.keys.length)
  for (const { key, high, low } of message.keys) {
    writer.shortBytes(key)
    writer.u32(high)
    writer.u32(low)
  }
  writeRecords(writer, message.records)
  return written(writer)
}

export function decodeListed(body: Uint8Array): Listed {
  const reader = readerOf(body)
  const header = readPullHeader(reader)
  const status = reader.u8()
  const isLast = reader.u8() === 1
  const upTo = reader.shortBytes()
  const keys = Array.from({ length: readCount(reader, 10) }, () => ({
    key: reader.shortBytes(),
    high: reader.u32(),
    low: reader.u32(),
  }))
  const records = readRecords(reader)
  reader.expectEnd()
  return { ...header, status, isLast, upTo, keys, records }
}

export function encodeFetch(message: Fetch): Uint8Array {
  const writer = beginPull(message)
  writer.u16(message.keys.length)
  for (const key of message.keys) writer.shortBytes(key)
  return written(writer)
}

export function decodeFetch(body: Uint8Array): Fetch {
  const reader = readerOf(body)
  const header = readPullHeader(reader)
  const keys = Array.from({ length: readCount(reader, 2) }, () => reader.shortBytes())
  reader.expectEnd()
  return { ...header, keys }
}

export function encodeFetched(message: Fetched): Uint8Array {
  const writer = beginPull(message)
  writer.u8(message.status)
  writer.u16(message.looked)
  writeRecords(writer, message.records)
  return written(writer)
}

export function decodeFetched(body: Uint8Array): Fetched {
  const reader = readerOf(body)
  const header = readPullHeader(reader)
  const message = { ...header, status: reader.u8(), looked: reader.u16(), records: readRecords(reader) }
  reader.expectEnd()
  return message
}

export function encodeRoundMessage(message: RoundMessage): Uint8Array {
  const writer = begin(message)
  writer.u53(message.throughMs)
  writer.u8(message.status)
  return written(writer)
}

export function decodeRoundMessage(body: Uint8Array): RoundMessage {
  const reader = readerOf(body)
  const message = { ...readHeader(reader), throughMs: reader.u53(), status: reader.u8() }
  reader.expectEnd()
  return message
}
