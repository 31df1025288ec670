import { crc32 } from 'node:zlib'
import type { MemberNumber } from '../node/identity.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { MalformedFrameError } from './malformed-frame-error.js'

/*
 * docs/cluster/frame-format.md
 *
 *   u32 magic "CPF1" | u32 crc of all that follows | u32 cluster id low, u32 high | u32 sender member | u32 sender incarnation |
 *   u32 sender's run | u53 number of the frame | u53 sender's topology epoch | messages: (u8 type | u32 body length | body)*
 */
export const frameMagic = 0x31465043
export const frameHeaderBytes = 44
export const messageHeaderBytes = 5
/** Beyond this a frame is not read, nor made. */
export const frameBytesMax = 32 << 20
/** The largest record: two of them and their headers fit a frame. */
export const recordBytesMax = 15 << 20

export interface FrameHeader {
  /** The cluster's random 64-bit id, as two numbers: no string per frame. */
  clusterLow: number
  clusterHigh: number
  member: MemberNumber
  incarnation: number
  /** Random, drawn when the process starts: numbers begin anew with it. */
  run: number
  /** From 1, one more with every frame to this peer. */
  number: number
  epoch: number
}

export function writeFrameHeader(writer: ByteWriter, header: FrameHeader): void {
  writer.u32(frameMagic)
  writer.u32(0)
  writer.u32(header.clusterLow)
  writer.u32(header.clusterHigh)
  writer.u32(header.member)
  writer.u32(header.incarnation)
  writer.u32(header.run)
  writer.u53(header.number)
  writer.u53(header.epoch)
}

/** Puts the checksum in its place, once the messages are there. */
export function sealFrame(frame: Uint8Array): void {
  const crc = crc32(frame.subarray(8))
  frame[4] = crc
  frame[5] = crc >>> 8
  frame[6] = crc >>> 16
  frame[7] = crc >>> 24
}

/**
 * Leaves `reader` at the first message.
 *
 * @throws MalformedFrameError a frame of another format, or damaged: nothing of it may be used
 */
export function readFrameHeader(frame: Uint8Array, reader: ByteReader, into: FrameHeader): void {
  if (frame.length > frameBytesMax)
    throw new MalformedFrameError(0, `${frame.length} bytes, at most ${frameBytesMax} allowed`)
  reader.reset(frame)
  const magic = reader.u32()
  if (magic !== frameMagic)
    throw new MalformedFrameError(0, `no frame of this version (begins with 0x${magic.toString(16)})`)
  const crc = reader.u32()
  if (crc32(frame.subarray(8)) !== crc) throw new MalformedFrameError(4, 'checksum does not match')
  into.clusterLow = reader.u32()
  into.clusterHigh = reader.u32()
  into.member = reader.u32()
  into.incarnation = reader.u32()
  into.run = reader.u32()
  into.number = reader.u53()
  into.epoch = reader.u53()
}

/** Begins a message and returns where it does, for `endMessage`. */
export function beginMessage(writer: ByteWriter, type: number): number {
  const start = writer.length
  writer.u8(type)
  writer.u32(0)
  return start
}

export function endMessage(writer: ByteWriter, start: number): void {
  writer.setU32(start + 1, writer.length - start - messageHeaderBytes)
}
