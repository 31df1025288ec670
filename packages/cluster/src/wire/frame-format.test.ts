import { expect, test } from 'vitest'
import { ByteReader } from './byte-reader.js'
import { ByteWriter } from './byte-writer.js'
import {
  beginMessage,
  endMessage,
  frameHeaderBytes,
  readFrameHeader,
  sealFrame,
  writeFrameHeader,
} from './frame-format.js'
import { messageType } from './message-type.js'
import {
  asker,
  ForwardMessage,
  ForwardReplyMessage,
  GetMessage,
  GetReplyMessage,
  ReplicateMessage,
  ReplicateReplyMessage,
  writeForwardReply,
  writeGet,
  writeGetReply,
  writeReplicate,
  writeReplicateReply,
} from './replication-messages.js'

const header = {
  clusterLow: 0x01020304,
  clusterHigh: 0xa0b0c0d0,
  member: 7,
  incarnation: 2,
  run: 0xdead,
  number: 9,
  epoch: 5,
}
const key = Uint8Array.of(0, 1, 0x6b)
const record = Uint8Array.of(0xc1, 1, 2)
const forward = Object.assign(new ForwardMessage(), {
  slot: 1,
  generation: 2,
  attempt: 3,
  since: 4,
  partition: 5,
  flags: 6,
  w: 2,
  budgetMs: 900,
  endsAtMs: 1_700_000_000_900,
  requestHigh: 0x11,
  requestLow: 0x22,
  expiresAt: 1_700_000_000_000,
  ifVersion: 8,
  key,
  context: Uint8Array.of(0xc2),
  value: Uint8Array.of(0x76),
})

/** One message of each type: [type, writer, what a reader must find]. */
const messages: [number, (writer: ByteWriter) => void, { read(reader: ByteReader): void }, object][] = [
  [
    messageType.get,
    (to) => writeGet(to, 1, 2, 3, 4, key),
    new GetMessage(),
    { slot: 1, generation: 2, since: 3, partition: 4, key },
  ],
  [
    messageType.getReply,
    (to) => writeGetReply(to, 1, 2, 0, 1_700_000_000_123, record),
    new GetReplyMessage(),
    { slot: 1, generation: 2, status: 0, heldMs: 1_700_000_000_123, record },
  ],
  [
    messageType.replicate,
    (to) => writeReplicate(to, asker.put, 1, 2, 3, 4, 6, true, key, record),
    new ReplicateMessage(),
    { asker: 1, slot: 1, generation: 2, since: 3, partition: 4, hintFor: 6, complete: true, key, record },
  ],
  [
    messageType.replicateReply,
    (to) => writeReplicateReply(to, asker.get, 1, 2, 5, 6),
    new ReplicateReplyMessage(),
    { asker: 0, slot: 1, generation: 2, status: 5, hintFor: 6 },
  ],
  [messageType.forward, (to) => forward.write(to), new ForwardMessage(), { ...forward }],
  [
    messageType.forwardReply,
    (to) => writeForwardReply(to, 1, 2, 3, 0, 41, 1_700_000_000_000, Uint8Array.of(0xc2)),
    new ForwardReplyMessage(),
    { slot: 1, generation: 2, attempt: 3, status: 0, version: 41, timestampMs: 1_700_000_000_000 },
  ],
]

function frame(): Uint8Array {
  const writer = new ByteWriter(8)
  writeFrameHeader(writer, header)
  for (const [type, write] of messages) {
    const start = beginMessage(writer, type)
    write(writer)
    endMessage(writer, start)
  }
  const bytes = writer.copy()
  sealFrame(bytes)
  return bytes
}

const golden =
  '43504631f5a1a3f904030201d0c0b0a00700000002000000adde00000900000000000000050000000000000001130000000100000002000000030000000400030000016b02180000000100000002000000007b68e5cf8b01000003000000c1010203200000000101000000020000000300000004000600000001030000016b03000000c10102040e00000000010000000200000005060000000542000000010000000200000003040000000500060284030000846be5cf8b01000011000000220000000068e5cf8b0100000800000000000000030000016b0100c2010000007606210000000100000002000000030029000000000000000068e5cf8b0100000100c200000000'

test('golden: a frame with one message of each type', () => {
  expect(Buffer.from(frame()).toString('hex')).toBe(golden)
})

test('every message is read as it was written', () => {
  const reader = new ByteReader()
  const into = { ...header, member: 0, epoch: 0 }
  readFrameHeader(Buffer.from(golden, 'hex'), reader, into)
  expect(reader.position).toBe(frameHeaderBytes)
  expect(into).toEqual(header)
  const end = reader.end
  for (const [type, , message, expected] of messages) {
    expect(reader.u8()).toBe(type)
    const length = reader.u32()
    reader.end = reader.position + length
    message.read(reader)
    reader.expectEnd()
    reader.end = end
    for (const [name, value] of Object.entries(expected)) {
      const read = message[name as keyof typeof message] as unknown
      expect(read instanceof Uint8Array ? [...read] : read).toEqual(value instanceof Uint8Array ? [...value] : value)
    }
  }
  expect(reader.remaining).toBe(0)
})
