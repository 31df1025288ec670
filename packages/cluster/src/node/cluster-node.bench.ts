import { CoordinatorLoad } from '../testing/coordinator-load.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { beginMessage, endMessage, readFrameHeader, sealFrame, writeFrameHeader } from '../wire/frame-format.js'
import { asker, ReplicateMessage, writeReplicate } from '../wire/replication-messages.js'

const messages = 64
const key = Buffer.from('\0\0user000000000000012')
const record = Buffer.alloc(150, 7)
const header = { clusterLow: 1, clusterHigh: 2, member: 3, incarnation: 1, run: 5, number: 1, epoch: 6 }
const writer = new ByteWriter(64 << 10)

function encode(): Uint8Array {
  writer.clear()
  writeFrameHeader(writer, header)
  for (let i = 0; i < messages; i++) {
    const start = beginMessage(writer, 3)
    writeReplicate(writer, asker.put, i, 1, 1, 77, 0, false, key, record)
    endMessage(writer, start)
  }
  const frame = writer.copy()
  sealFrame(frame)
  return frame
}

function decode(frame: Uint8Array, reader: ByteReader, message: ReplicateMessage): number {
  const into = { ...header }
  readFrameHeader(frame, reader, into)
  let read = 0
  while (reader.remaining > 0) {
    reader.u8()
    reader.u32()
    message.read(reader)
    read += message.record.length
  }
  return read
}

// Each call is a turn of `CoordinatorLoad.batch` operations at N=3: divide by it for the cost of one.
export const cases = {
  'frame of 64 records, encode': () => encode,
  'frame of 64 records, decode': () => {
    const frame = encode()
    const reader = new ByteReader()
    const message = new ReplicateMessage()
    return () => decode(frame, reader, message)
  },
  '64 gets, coordinator, N=3': () => {
    const load = new CoordinatorLoad()
    return () => load.gets()
  },
  '64 puts, coordinator, N=3': () => {
    const load = new CoordinatorLoad()
    return () => load.puts()
  },
}
