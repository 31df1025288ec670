import { expect, test } from 'vitest'
import { ByteReader } from '../wire/byte-reader.js'
import { type FrameHeader, readFrameHeader } from '../wire/frame-format.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { Outbox, PeerQueue } from './outbox.js'

const header: FrameHeader = { clusterLow: 1, clusterHigh: 2, member: 3, incarnation: 4, run: 5, number: 0, epoch: 6 }

function setUp(bytesMax = 10_000) {
  const frames: Uint8Array[] = []
  const outbox = new Outbox({ ...header }, bytesMax)
  const queue = new PeerQueue('00')
  const push = (value: number, held: boolean) => {
    const writer = outbox.begin(queue, 40, 1, held)
    writer?.u8(value)
    if (writer !== undefined) outbox.end()
    return writer !== undefined
  }
  const flush = (durableTicket: number) => {
    frames.length = 0
    outbox.flush(durableTicket, { send: (_, frame) => frames.push(frame) })
    return frames.map(valuesIn)
  }
  return { outbox, push, flush, frames }
}

function valuesIn(frame: Uint8Array): number[] {
  const reader = new ByteReader()
  const into = { ...header }
  readFrameHeader(frame, reader, into)
  expect(into).toMatchObject({ clusterLow: 1, clusterHigh: 2, member: 3, incarnation: 4, run: 5, epoch: 6 })
  const values: number[] = []
  while (reader.remaining > 0) {
    expect(reader.u8()).toBe(40)
    expect(reader.u32()).toBe(1)
    values.push(reader.u8())
  }
  return values
}

test('one frame with all that may leave; what is held waits for its ticket, in order', () => {
  const { outbox, push, flush } = setUp()
  push(1, false)
  push(2, true)
  push(3, false)
  outbox.mark(10)
  expect(flush(9)).toEqual([[1, 3]])
  push(4, true)
  outbox.mark(12)
  expect(flush(9)).toEqual([])
  push(5, false)
  expect(flush(10)).toEqual([[5, 2]])
  expect(flush(11)).toEqual([])
  expect(flush(12)).toEqual([[4]])
  expect(flush(99)).toEqual([])
})

test('frames are numbered per peer', () => {
  const { push, flush, frames } = setUp()
  const numbers: number[] = []
  for (let i = 0; i < 3; i++) {
    push(i, false)
    flush(0)
    const into = { ...header }
    readFrameHeader(frames[0]!, new ByteReader(), into)
    numbers.push(into.number)
  }
  expect(numbers).toEqual([1, 2, 3])
})

test('a queue that was forgotten and made again goes on with higher numbers', () => {
  const outbox = new Outbox({ ...header }, 10_000)
  const numbers: number[] = []
  for (const queue of [new PeerQueue('00'), new PeerQueue('11'), new PeerQueue('00')])
    for (let i = 0; i < 3; i++) {
      outbox.begin(queue, 40, 0, false)
      outbox.end()
      outbox.flush(0, {
        send: (peer, frame) => {
          const into = { ...header }
          readFrameHeader(frame, new ByteReader(), into)
          if (peer === '00') numbers.push(into.number)
        },
      })
    }
  expect(numbers).toEqual([1, 2, 3, 7, 8, 9])
})

test('a full queue drops, and counts what it dropped', () => {
  const { outbox, push } = setUp(200)
  let taken = 0
  for (let i = 0; i < 100; i++) if (push(i, i % 2 === 0)) taken++
  expect(taken).toBeGreaterThan(10)
  expect(taken).toBeLessThan(30)
  expect(outbox.dropped).toBe(100 - taken)
})

test('a damaged frame is refused as a whole', () => {
  const { push, flush, frames } = setUp()
  push(1, false)
  push(2, false)
  flush(0)
  const frame = frames[0]!
  for (let i = 0; i < frame.length * 8; i++) {
    const damaged = Uint8Array.from(frame)
    damaged[i >>> 3]! ^= 1 << (i & 7)
    expect(() => readFrameHeader(damaged, new ByteReader(), { ...header })).toThrow(MalformedFrameError)
  }
  for (let end = 0; end < frame.length; end++)
    expect(() => readFrameHeader(frame.subarray(0, end), new ByteReader(), { ...header })).toThrow(MalformedFrameError)
})
