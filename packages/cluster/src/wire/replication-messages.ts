import type { MemberNumber } from '../node/identity.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'

/*
 * The messages of the hot path: docs/cluster/frame-format.md. Each is a class with one instance per node, which a reader fills
 * and a writer empties: nothing is allocated per message but the views of key and record.
 *
 * `asker`, `slot` and `generation` come back in the answer: which machine of the asking node, and which of its requests.
 * `since` is the epoch in which the asker's owners of the partition came into force.
 */

export const asker = { get: 0, put: 1, hints: 2, convergence: 3, nobody: 255 } as const

/** Bytes a message can have besides its byte fields: for the check before it is appended. */
export const fixedBytesMax = 96

export class GetMessage {
  slot = 0
  generation = 0
  since = 0
  partition = 0
  key: Uint8Array = new Uint8Array(0)

  read(reader: ByteReader): void {
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.since = reader.u32()
    this.partition = reader.u16()
    this.key = reader.shortBytes()
  }
}

export function writeGet(
  writer: ByteWriter,
  slot: number,
  generation: number,
  since: number,
  partition: number,
  key: Uint8Array,
): void {
  writer.u32(slot)
  writer.u32(generation)
  writer.u32(since)
  writer.u16(partition)
  writer.shortBytes(key)
}

export class GetReplyMessage {
  slot = 0
  generation = 0
  status = 0
  /** All owners hold everything stamped up to here, or have collected it: what a session has seen by then and is not here is gone. */
  heldMs = 0
  /** Empty unless the status is ok. */
  record: Uint8Array = new Uint8Array(0)

  read(reader: ByteReader): void {
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.status = reader.u8()
    this.heldMs = reader.u53()
    this.record = reader.longBytes()
  }
}

const none = new Uint8Array(0)

export function writeGetReply(
  writer: ByteWriter,
  slot: number,
  generation: number,
  status: number,
  heldMs: number,
  record: Uint8Array = none,
): void {
  writer.u32(slot)
  writer.u32(generation)
  writer.u8(status)
  writer.u53(heldMs)
  writer.longBytes(record)
}

export class ReplicateMessage {
  asker = 0
  slot = 0
  generation = 0
  since = 0
  partition = 0
  /** The owner that the receiver keeps it for; 0: the receiver itself. */
  hintFor: MemberNumber = 0
  /** Merged from every other owner: it may replace what the receiver cannot read. */
  complete = false
  key: Uint8Array = none
  record: Uint8Array = none

  read(reader: ByteReader): void {
    this.asker = reader.u8()
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.since = reader.u32()
    this.partition = reader.u16()
    this.hintFor = reader.u32()
    this.complete = reader.u8() === 1
    this.key = reader.shortBytes()
    this.record = reader.longBytes()
  }
}

export function writeReplicate(
  writer: ByteWriter,
  from: number,
  slot: number,
  generation: number,
  since: number,
  partition: number,
  hintFor: MemberNumber,
  complete: boolean,
  key: Uint8Array,
  record: Uint8Array,
): void {
  writer.u8(from)
  writer.u32(slot)
  writer.u32(generation)
  writer.u32(since)
  writer.u16(partition)
  writer.u32(hintFor)
  writer.u8(complete ? 1 : 0)
  writer.shortBytes(key)
  writer.longBytes(record)
}

export class ReplicateReplyMessage {
  asker = 0
  slot = 0
  generation = 0
  status = 0
  /** As in the request: whom this answer stands for. */
  hintFor: MemberNumber = 0

  read(reader: ByteReader): void {
    this.asker = reader.u8()
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.status = reader.u8()
    this.hintFor = reader.u32()
  }
}

export function writeReplicateReply(
  writer: ByteWriter,
  to: number,
  slot: number,
  generation: number,
  status: number,
  hintFor: MemberNumber,
): void {
  writer.u8(to)
  writer.u32(slot)
  writer.u32(generation)
  writer.u8(status)
  writer.u32(hintFor)
}

export const forwardFlags = { delete: 1, context: 2, ifAbsent: 4, ifVersion: 8, sloppy: 16 } as const

export class ForwardMessage {
  slot = 0
  generation = 0
  /** Which try of the asker this is: comes back in the answer. */
  attempt = 0
  since = 0
  partition = 0
  flags = 0
  w = 0
  /** Milliseconds that the asker still waits. */
  budgetMs = 0
  /** When that is over, by the asker's wall clock: milliseconds since the epoch. */
  endsAtMs = 0
  requestHigh = 0
  requestLow = 0
  expiresAt = 0
  ifVersion = 0
  key: Uint8Array = none
  context: Uint8Array = none
  value: Uint8Array = none

  read(reader: ByteReader): void {
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.attempt = reader.u8()
    this.since = reader.u32()
    this.partition = reader.u16()
    this.flags = reader.u8()
    this.w = reader.u8()
    this.budgetMs = reader.u32()
    this.endsAtMs = reader.u53()
    this.requestHigh = reader.u32()
    this.requestLow = reader.u32()
    this.expiresAt = reader.u53()
    this.ifVersion = reader.u53()
    this.key = reader.shortBytes()
    this.context = reader.shortBytes()
    this.value = reader.longBytes()
  }

  write(writer: ByteWriter): void {
    writer.u32(this.slot)
    writer.u32(this.generation)
    writer.u8(this.attempt)
    writer.u32(this.since)
    writer.u16(this.partition)
    writer.u8(this.flags)
    writer.u8(this.w)
    writer.u32(this.budgetMs)
    writer.u53(this.endsAtMs)
    writer.u32(this.requestHigh)
    writer.u32(this.requestLow)
    writer.u53(this.expiresAt)
    writer.u53(this.ifVersion)
    writer.shortBytes(this.key)
    writer.shortBytes(this.context)
    writer.longBytes(this.value)
  }
}

export class ForwardReplyMessage {
  slot = 0
  generation = 0
  attempt = 0
  status = 0
  version = 0
  timestampMs = 0
  context: Uint8Array = none
  /** Where the write is not alone: all that the client has to be told. Else empty. */
  record: Uint8Array = none

  read(reader: ByteReader): void {
    this.slot = reader.u32()
    this.generation = reader.u32()
    this.attempt = reader.u8()
    this.status = reader.u8()
    this.version = reader.u53()
    this.timestampMs = reader.u53()
    this.context = reader.shortBytes()
    this.record = reader.longBytes()
  }
}

export function writeForwardReply(
  writer: ByteWriter,
  slot: number,
  generation: number,
  attempt: number,
  status: number,
  version = 0,
  timestampMs = 0,
  context: Uint8Array = none,
  record: Uint8Array = none,
): void {
  writer.u32(slot)
  writer.u32(generation)
  writer.u8(attempt)
  writer.u8(status)
  writer.u53(version)
  writer.u53(timestampMs)
  writer.shortBytes(context)
  writer.longBytes(record)
}
