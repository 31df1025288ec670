import { valueTag } from '../value-tag.js'
import type { CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { integerArgument, lookup, syntaxError } from './command-replies.js'
import { readInteger } from './integer-text.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

const badOffset = 'ERR bit offset is not an integer or out of range'
const badBit = 'ERR bit is not an integer or out of range'

const onesOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1
  return count
})

/** Bit offset in argument 2, or NaN after an error reply; bits are numbered from the most significant of the first byte. */
function bitOffset(session: Session, args: CommandArguments, out: ReplyWriter): number {
  const offset = readInteger(args.bytes, args.start(2), args.end(2))
  if (offset >= 0 && offset < session.node.valueBytesMax * 8) return offset
  out.error(badOffset)
  return Number.NaN
}

function getbit(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const offset = bitOffset(session, args, out)
  if (Number.isNaN(offset)) return
  const record = lookup(session, args, 1)
  const at = record === undefined ? 0 : record.valueStart + Math.floor(offset / 8)
  if (record === undefined || at >= record.valueEnd) out.integer(0)
  else out.integer((record.bytes[at]! >> (7 - (offset % 8))) & 1)
}

function setbit(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const offset = bitOffset(session, args, out)
  if (Number.isNaN(offset)) return
  const bit = integerArgument(args, 3, out, badBit)
  if (Number.isNaN(bit)) return
  if (bit !== 0 && bit !== 1) {
    out.error(badBit)
    return
  }
  const record = lookup(session, args, 1)
  const length = record === undefined ? 0 : record.valueEnd - record.valueStart
  const at = Math.floor(offset / 8)
  const mask = 128 >> (offset % 8)
  const old = record !== undefined && at < length && (record.bytes[record.valueStart + at]! & mask) !== 0 ? 1 : 0
  if (at >= length || old !== bit) {
    const value = Buffer.alloc(Math.max(length, at + 1))
    if (record !== undefined) Buffer.prototype.copy.call(record.bytes, value, 0, record.valueStart, record.valueEnd)
    const expiresAt = record?.expiresAt ?? 0
    value[at] = bit === 1 ? value[at]! | mask : value[at]! & ~mask
    const { bytes } = args
    const { store, now } = session.node
    store.putFrom(bytes, args.start(1), args.end(1), value, 0, value.length, expiresAt, valueTag.raw, now)
  }
  out.integer(old)
}

/** Both ends inclusive, in bits. */
interface BitRange {
  from: number
  to: number
}

/** The range that `start` and `end` (in bytes or bits, negative from the end) mean in a value of `length` bytes. */
function bitRange(start: number, end: number, length: number, inBits: boolean): BitRange | undefined {
  const total = inBits ? length * 8 : length
  const from = Math.max(0, start < 0 ? total + start : start)
  const to = Math.min(total - 1, Math.max(0, end < 0 ? total + end : end))
  if (from > to) return undefined
  return inBits ? { from, to } : { from: from * 8, to: to * 8 + 7 }
}

/** `bytes` from `base` on; `from` and `to` in bits. */
function countOnes(bytes: Uint8Array, base: number, { from, to }: BitRange): number {
  const first = base + (from >>> 3)
  const last = base + (to >>> 3)
  let count = 0
  for (let i = first; i <= last; i++) count += onesOf[bytes[i]!]!
  count -= onesOf[bytes[first]! & ~(0xff >> (from & 7)) & 0xff]!
  return count - onesOf[bytes[last]! & (0x7f >> (to & 7))]!
}

function bitcount(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  if (record === undefined) {
    out.integer(0)
    return
  }
  const length = record.valueEnd - record.valueStart
  let start = 0
  let end = -1
  let inBits = false
  if (args.count === 4 || args.count === 5) {
    start = integerArgument(args, 2, out)
    if (Number.isNaN(start)) return
    end = integerArgument(args, 3, out)
    if (Number.isNaN(end)) return
    if (start < 0 && end < 0 && start > end) {
      out.integer(0)
      return
    }
    if (args.count === 5) {
      inBits = args.is(4, 'bit')
      if (!inBits && !args.is(4, 'byte')) {
        out.error(syntaxError)
        return
      }
    }
  } else if (args.count !== 2) {
    out.error(syntaxError)
    return
  }
  const range = length === 0 ? undefined : bitRange(start, end, length, inBits)
  out.integer(range === undefined ? 0 : countOnes(record.bytes, record.valueStart, range))
}

/** First bit of this kind in the range, or -1. */
function findBit(bytes: Uint8Array, base: number, { from, to }: BitRange, bit: number): number {
  const skipped = bit === 1 ? 0 : 0xff
  for (let at = from; at <= to; ) {
    if ((at & 7) === 0 && bytes[base + (at >>> 3)] === skipped) {
      at += 8
    } else {
      if (((bytes[base + (at >>> 3)]! >> (7 - (at & 7))) & 1) === bit) return at
      at++
    }
  }
  return -1
}

function bitpos(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const bit = integerArgument(args, 2, out)
  if (Number.isNaN(bit)) return
  if (bit !== 0 && bit !== 1) {
    out.error('ERR The bit argument must be 1 or 0.')
    return
  }
  const record = lookup(session, args, 1)
  if (record === undefined) {
    out.integer(bit === 1 ? -1 : 0)
    return
  }
  const length = record.valueEnd - record.valueStart
  let start = 0
  let end = -1
  let inBits = false
  const endGiven = args.count >= 5
  if (args.count > 6) {
    out.error(syntaxError)
    return
  }
  if (args.count >= 4) {
    start = integerArgument(args, 3, out)
    if (Number.isNaN(start)) return
    if (args.count === 6) {
      inBits = args.is(5, 'bit')
      if (!inBits && !args.is(5, 'byte')) {
        out.error(syntaxError)
        return
      }
    }
    if (endGiven) {
      end = integerArgument(args, 4, out)
      if (Number.isNaN(end)) return
    }
  }
  const range = length === 0 ? undefined : bitRange(start, end, length, inBits)
  if (range === undefined) {
    out.integer(-1)
    return
  }
  const found = findBit(record.bytes, record.valueStart, range, bit)
  // Without an explicit end the value counts as followed by zeros.
  out.integer(found < 0 && bit === 0 && !endGiven ? range.to + 1 : found)
}

const key1 = [1, 1, 1] as const

export const bitsCommands: readonly CommandSpec[] = [
  {
    name: 'getbit',
    arity: 3,
    flags: 'readonly fast',
    keys: key1,
    keyFlags: ['RO access'],
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Get one bit of a value',
    run: getbit,
  },
  {
    name: 'setbit',
    arity: 4,
    flags: 'write denyoom',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '2.2.0',
    complexity: 'O(N) where N is the length of the value: records are immutable, so the value is written anew.',
    summary: 'Set one bit of a value',
    run: setbit,
  },
  {
    name: 'bitcount',
    arity: -2,
    flags: 'readonly',
    keys: key1,
    keyFlags: ['RO access'],
    since: '2.6.0',
    complexity: 'O(N) where N is the length of the range.',
    summary: 'Count the ones in a value',
    run: bitcount,
  },
  {
    name: 'bitpos',
    arity: -3,
    flags: 'readonly',
    keys: key1,
    keyFlags: ['RO access'],
    since: '2.8.7',
    complexity: 'O(N) where N is the length of the range.',
    summary: 'Find the first one or zero in a value',
    run: bitpos,
  },
]
