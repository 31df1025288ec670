import type { MemberNumber } from '../node/identity.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { messageTypeBase } from '../wire/message-type.js'

/* docs/cluster/move-format.md */

export const moveType = { ready: messageTypeBase.rebalance } as const

/** To the driver: the sender is ready for the next step of these partitions. */
export interface ReadyMessage {
  readonly from: MemberNumber
  readonly to: MemberNumber
  readonly moves: readonly ReadyMove[]
}

export interface ReadyMove {
  readonly partition: number
  /** The epoch of the step that the sender has done. */
  readonly since: number
}

const moveBytes = 10

export function encodeReady({ from, to, moves }: ReadyMessage): Uint8Array {
  const writer = new ByteWriter(16 + moves.length * moveBytes)
  writer.u32(from)
  writer.u32(to)
  writer.u16(moves.length)
  for (const { partition, since } of moves) {
    writer.u16(partition)
    writer.u53(since)
  }
  return writer.buffer.subarray(0, writer.length)
}

export function decodeReady(body: Uint8Array): ReadyMessage {
  const reader = new ByteReader()
  reader.reset(body)
  const [from, to, count] = [reader.u32(), reader.u32(), reader.u16()]
  if (count * moveBytes !== reader.remaining)
    throw new MalformedFrameError(reader.position, `${count} moves in ${reader.remaining} bytes`)
  return { from, to, moves: Array.from({ length: count }, () => ({ partition: reader.u16(), since: reader.u53() })) }
}
