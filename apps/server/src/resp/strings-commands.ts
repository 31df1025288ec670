import { valueTag } from '../value-tag.js'
import type { CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import {
  integerArgument,
  lookup,
  notInteger,
  ownValue,
  stringTooLong,
  syntaxError,
  wrongArity,
} from './command-replies.js'
import { type ExpireUnit, positiveExpireTime } from './expire-time.js'
import { fitsInteger64, readInteger, readInteger64 } from './integer-text.js'
import { addLongDouble, isInfinity, readLongDouble, writeLongDouble } from './long-double.js'
import { longestCommonSubsequence } from './longest-common-subsequence.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

const digits = Buffer.alloc(32)

/** Stores argument `value` under argument `key`. */
function put(session: Session, args: CommandArguments, key: number, value: number, expiresAt: number): void {
  const { bytes } = args
  const { store, now } = session.node
  store.putFrom(
    bytes,
    args.start(key),
    args.end(key),
    bytes,
    args.start(value),
    args.end(value),
    expiresAt,
    valueTag.raw,
    now,
  )
}

function putBytes(session: Session, args: CommandArguments, value: Uint8Array, end: number, expiresAt: number): void {
  const { store, now } = session.node
  store.putFrom(args.bytes, args.start(1), args.end(1), value, 0, end, expiresAt, valueTag.raw, now)
}

function exists(session: Session, args: CommandArguments, key: number): boolean {
  return session.node.store.borrow(args.bytes, args.start(key), args.end(key)) !== undefined
}

function get(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  if (record === undefined) out.none()
  else out.bulk(record.bytes, record.valueStart, record.valueEnd)
}

interface ExpireOption {
  index: number
  unit: ExpireUnit
  relative: boolean
}

const expireOptions: readonly (readonly [word: string, unit: ExpireUnit, relative: boolean])[] = [
  ['ex', 'seconds', true],
  ['px', 'milliseconds', true],
  ['exat', 'seconds', false],
  ['pxat', 'milliseconds', false],
]

interface StringOptions {
  expire: ExpireOption | undefined
  nx: boolean
  xx: boolean
  get: boolean
  keepTtl: boolean
  persist: boolean
}

/** Options from argument `from` on, of SET or of GETEX; `undefined` after an error reply. */
function stringOptions(
  args: CommandArguments,
  from: number,
  command: 'set' | 'getex',
  out: ReplyWriter,
): StringOptions | undefined {
  const options: StringOptions = { expire: undefined, nx: false, xx: false, get: false, keepTtl: false, persist: false }
  const setting = command === 'set'
  let expireWord = ''
  for (let i = from; i < args.count; i++) {
    const free = !options.keepTtl && !options.persist
    if (setting && args.is(i, 'nx') && !options.xx) options.nx = true
    else if (setting && args.is(i, 'xx') && !options.nx) options.xx = true
    else if (setting && args.is(i, 'get')) options.get = true
    else if (setting && args.is(i, 'keepttl') && !options.expire) options.keepTtl = true
    else if (!setting && args.is(i, 'persist') && !options.expire) options.persist = true
    else {
      const option = expireOptions.find(([word]) => args.is(i, word))
      // The same option twice is taken, the last one wins; as in Redis.
      const fits = option !== undefined && free && (expireWord === '' || expireWord === option[0])
      if (!fits || i + 1 >= args.count) {
        out.error(syntaxError)
        return undefined
      }
      expireWord = option[0]
      options.expire = { index: ++i, unit: option[1], relative: option[2] }
    }
  }
  return options
}

function expiryOf(session: Session, args: CommandArguments, option: ExpireOption, name: string, out: ReplyWriter) {
  return positiveExpireTime(args, option.index, option.unit, option.relative ? session.node.clock() : 0, name, out)
}

function set(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count === 3) {
    put(session, args, 1, 2, 0)
    out.ok()
    return
  }
  const options = stringOptions(args, 3, 'set', out)
  if (options === undefined) return
  let expiresAt = 0
  if (options.expire !== undefined) {
    expiresAt = expiryOf(session, args, options.expire, 'set', out)
    if (Number.isNaN(expiresAt)) return
  }
  const old = options.get ? lookup(session, args, 1) : session.node.store.borrow(args.bytes, args.start(1), args.end(1))
  if (options.keepTtl && old !== undefined) expiresAt = old.expiresAt
  const refused = old === undefined ? options.xx : options.nx
  if (options.get) {
    if (old === undefined) out.none()
    else out.bulk(old.bytes, old.valueStart, old.valueEnd)
  } else if (refused) {
    out.none()
  } else {
    out.ok()
  }
  if (!refused) put(session, args, 1, 2, expiresAt)
}

function setnx(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (exists(session, args, 1)) {
    out.integer(0)
  } else {
    put(session, args, 1, 2, 0)
    out.integer(1)
  }
}

const setWithExpiry =
  (name: string, unit: ExpireUnit) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    const expiresAt = positiveExpireTime(args, 2, unit, session.node.clock(), name, out)
    if (Number.isNaN(expiresAt)) return
    put(session, args, 1, 3, expiresAt)
    out.ok()
  }

function getset(session: Session, args: CommandArguments, out: ReplyWriter): void {
  get(session, args, out)
  put(session, args, 1, 2, 0)
}

function getdel(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  if (record === undefined) {
    out.none()
    return
  }
  out.bulk(record.bytes, record.valueStart, record.valueEnd)
  session.node.store.deleteFrom(args.bytes, args.start(1), args.end(1))
}

function getex(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const options = stringOptions(args, 2, 'getex', out)
  if (options === undefined) return
  const { store, now } = session.node
  if (lookup(session, args, 1) === undefined) {
    out.none()
    return
  }
  let expiresAt = 0
  if (options.expire !== undefined) {
    expiresAt = expiryOf(session, args, options.expire, 'getex', out)
    if (Number.isNaN(expiresAt)) return
  }
  const entry = store.getEntry(args.view(1))
  if (entry === undefined) {
    out.none()
    return
  }
  out.bulkBytes(entry.value)
  if (options.expire !== undefined && expiresAt <= session.node.clock()) {
    store.deleteFrom(args.bytes, args.start(1), args.end(1))
  } else if (options.expire !== undefined || (options.persist && entry.expiresAt !== 0)) {
    store.putSync(entry.key, entry.value, { expiresAt, tag: entry.tag, writtenAt: now })
  }
}

/** More would push each other out of the cache again. */
const prefetchedMax = 64

function mget(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const { store } = session.node
  const prefetched = Math.min(args.count - 1, prefetchedMax)
  store.prefetch(args.bytes, args.offsets.subarray(2, 2 + 2 * prefetched), prefetched)
  out.array(args.count - 1)
  for (let i = 1; i < args.count; i++) {
    const record = lookup(session, args, i)
    if (record === undefined) out.none()
    else out.bulk(record.bytes, record.valueStart, record.valueEnd)
  }
}

function putPairs(session: Session, args: CommandArguments): void {
  if (args.count === 3) put(session, args, 1, 2, 0)
  else
    session.node.store.atomic(() => {
      for (let i = 1; i < args.count; i += 2) put(session, args, i, i + 1, 0)
    })
}

function mset(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count % 2 === 0) {
    out.error(wrongArity('mset'))
    return
  }
  putPairs(session, args)
  out.ok()
}

function msetnx(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count % 2 === 0) {
    out.error(wrongArity('msetnx'))
    return
  }
  for (let i = 1; i < args.count; i += 2) {
    if (exists(session, args, i)) {
      out.integer(0)
      return
    }
  }
  putPairs(session, args)
  out.integer(1)
}

function strlen(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  out.integer(record === undefined ? 0 : record.valueEnd - record.valueStart)
}

function append(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  const added = args.length(2)
  if (record === undefined) {
    put(session, args, 1, 2, 0)
    out.integer(added)
    return
  }
  const { valueStart, valueEnd, expiresAt } = record
  const old = valueEnd - valueStart
  if (old + added > session.node.valueBytesMax) {
    out.error(stringTooLong)
    return
  }
  const value = Buffer.allocUnsafe(old + added)
  Buffer.prototype.copy.call(record.bytes, value, 0, valueStart, valueEnd)
  args.bytes.copy(value, old, args.start(2), args.end(2))
  putBytes(session, args, value, value.length, expiresAt)
  out.integer(value.length)
}

function getrange(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let start = integerArgument(args, 2, out)
  if (Number.isNaN(start)) return
  let end = integerArgument(args, 3, out)
  if (Number.isNaN(end)) return
  const record = lookup(session, args, 1)
  const length = record === undefined ? 0 : record.valueEnd - record.valueStart
  if (record === undefined || length === 0 || (start < 0 && end < 0 && start > end)) {
    out.bulkText('')
    return
  }
  if (start < 0) start = Math.max(0, length + start)
  if (end < 0) end = Math.max(0, length + end)
  end = Math.min(end, length - 1)
  if (start > end) out.bulkText('')
  else out.bulk(record.bytes, record.valueStart + start, record.valueStart + end + 1)
}

function setrange(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const offset = integerArgument(args, 2, out)
  if (Number.isNaN(offset)) return
  if (offset < 0) {
    out.error('ERR offset is out of range')
    return
  }
  const record = lookup(session, args, 1)
  const old = record === undefined ? 0 : record.valueEnd - record.valueStart
  const added = args.length(3)
  if (added === 0) {
    out.integer(old)
    return
  }
  if (offset + added > session.node.valueBytesMax) {
    out.error(stringTooLong)
    return
  }
  const value = Buffer.alloc(Math.max(old, offset + added))
  if (record !== undefined) Buffer.prototype.copy.call(record.bytes, value, 0, record.valueStart, record.valueEnd)
  const expiresAt = record?.expiresAt ?? 0
  args.bytes.copy(value, offset, args.start(3), args.end(3))
  putBytes(session, args, value, value.length, expiresAt)
  out.integer(value.length)
}

function increment(session: Session, args: CommandArguments, out: ReplyWriter, by: number | bigint): void {
  const record = lookup(session, args, 1)
  let expiresAt = 0
  let value: number | bigint = 0
  if (record !== undefined) {
    value = readInteger(record.bytes, record.valueStart, record.valueEnd)
    if (Number.isNaN(value)) {
      out.error(notInteger)
      return
    }
    if (!Number.isSafeInteger(value)) value = readInteger64(record.bytes, record.valueStart, record.valueEnd)
    expiresAt = record.expiresAt
  }
  let sum: number | bigint = Number.NaN
  if (typeof value === 'number' && typeof by === 'number') sum = value + by
  if (!Number.isSafeInteger(sum)) {
    sum = BigInt(value) + BigInt(by)
    if (!fitsInteger64(sum)) {
      out.error('ERR increment or decrement would overflow')
      return
    }
  }
  putBytes(session, args, digits, digits.write(String(sum), 0, 'latin1'), expiresAt)
  out.integer(sum)
}

function incrementBy(session: Session, args: CommandArguments, out: ReplyWriter, sign: 1 | -1): void {
  const by = integerArgument(args, 2, out)
  if (Number.isNaN(by)) return
  if (Number.isSafeInteger(by)) {
    increment(session, args, out, sign * by)
    return
  }
  const exact = readInteger64(args.bytes, args.start(2), args.end(2))
  if (sign === -1 && exact === -(2n ** 63n)) out.error('ERR decrement would overflow')
  else increment(session, args, out, BigInt(sign) * exact)
}

function incrbyfloat(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  const oldText =
    record === undefined
      ? '0'
      : Buffer.from(
          record.bytes.subarray(record.valueStart, Math.min(record.valueEnd, record.valueStart + 8192)),
        ).toString('latin1')
  const expiresAt = record?.expiresAt ?? 0
  const byText = args.text(2)
  const old = readLongDouble(oldText)
  const by = readLongDouble(byText)
  if ((old === undefined && !isInfinity(oldText)) || (by === undefined && !isInfinity(byText))) {
    out.error('ERR value is not a valid float')
    return
  }
  const sum = old && by && addLongDouble(old, by)
  if (sum === undefined) {
    out.error('ERR increment would produce NaN or Infinity')
    return
  }
  const value = Buffer.from(writeLongDouble(sum), 'latin1')
  putBytes(session, args, value, value.length, expiresAt)
  out.bulkBytes(value)
}

function lcs(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const a = owned(session, args, 1)
  const b = owned(session, args, 2)
  let lengthOnly = false
  let indexes = false
  let withLengths = false
  let lengthMin = 0
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'idx')) indexes = true
    else if (args.is(i, 'len')) lengthOnly = true
    else if (args.is(i, 'withmatchlen')) withLengths = true
    else if (args.is(i, 'minmatchlen') && i + 1 < args.count) {
      lengthMin = integerArgument(args, ++i, out)
      if (Number.isNaN(lengthMin)) return
    } else {
      out.error(syntaxError)
      return
    }
  }
  if (lengthOnly && indexes) {
    out.error('ERR If you want both the length and indexes, please just use IDX.')
    return
  }
  if ((a.length + 1) * (b.length + 1) * 4 > session.node.valueBytesMax) {
    out.error('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
    return
  }
  const common = longestCommonSubsequence(a, b)
  if (indexes) {
    const ranges = common.ranges.filter((range) => range.aEnd - range.aStart + 1 >= lengthMin)
    out.map(2)
    out.bulkText('matches')
    out.array(ranges.length)
    for (const range of ranges) {
      out.array(withLengths ? 3 : 2)
      out.array(2)
      out.integer(range.aStart)
      out.integer(range.aEnd)
      out.array(2)
      out.integer(range.bStart)
      out.integer(range.bEnd)
      if (withLengths) out.integer(range.aEnd - range.aStart + 1)
    }
    out.bulkText('len')
    out.integer(common.length)
  } else if (lengthOnly) {
    out.integer(common.length)
  } else {
    out.bulkBytes(common.bytes)
  }
}

function owned(session: Session, args: CommandArguments, index: number): Uint8Array {
  const record = lookup(session, args, index)
  return record === undefined ? Buffer.alloc(0) : ownValue(record)
}

const key1 = [1, 1, 1] as const
const rewriting = 'O(N) where N is the length of the value: records are immutable, so the value is written anew.'

export const stringsCommands: readonly CommandSpec[] = [
  {
    name: 'get',
    arity: 2,
    flags: 'readonly fast',
    keys: key1,
    keyFlags: ['RO access'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Get the value of a key',
    run: get,
  },
  {
    name: 'set',
    arity: -3,
    flags: 'write denyoom',
    keys: key1,
    keyFlags: ['RW access update variable_flags'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Set the value of a key',
    run: set,
  },
  {
    name: 'setnx',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['OW insert'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Set the value of a key that does not exist',
    run: setnx,
  },
  {
    name: 'setex',
    arity: 4,
    flags: 'write denyoom',
    keys: key1,
    keyFlags: ['OW update'],
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Set the value of a key and its time to live in seconds',
    run: setWithExpiry('setex', 'seconds'),
  },
  {
    name: 'psetex',
    arity: 4,
    flags: 'write denyoom',
    keys: key1,
    keyFlags: ['OW update'],
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Set the value of a key and its time to live in milliseconds',
    run: setWithExpiry('psetex', 'milliseconds'),
  },
  {
    name: 'getset',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Set the value of a key and return the old one',
    run: getset,
  },
  {
    name: 'getdel',
    arity: 2,
    flags: 'write fast',
    keys: key1,
    keyFlags: ['RW access delete'],
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Get the value of a key and delete it',
    run: getdel,
  },
  {
    name: 'getex',
    arity: -2,
    flags: 'write fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '6.2.0',
    complexity: rewriting,
    summary: 'Get the value of a key and set or remove its expiry',
    run: getex,
  },
  {
    name: 'mget',
    arity: -2,
    flags: 'readonly fast',
    keys: [1, -1, 1],
    keyFlags: ['RO access'],
    tips: 'request_policy:multi_shard',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Get the values of keys',
    run: mget,
  },
  {
    name: 'mset',
    arity: -3,
    flags: 'write denyoom',
    keys: [1, -1, 2],
    keyFlags: ['OW update'],
    tips: 'request_policy:multi_shard response_policy:all_succeeded',
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Set the values of keys, atomically',
    run: mset,
  },
  {
    name: 'msetnx',
    arity: -3,
    flags: 'write denyoom',
    keys: [1, -1, 2],
    keyFlags: ['OW insert'],
    tips: 'request_policy:multi_shard response_policy:agg_min',
    since: '1.0.1',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Set the values of keys, atomically, if none of them exists',
    run: msetnx,
  },
  {
    name: 'strlen',
    arity: 2,
    flags: 'readonly fast',
    keys: key1,
    keyFlags: ['RO'],
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Get the length of a value',
    run: strlen,
  },
  {
    name: 'append',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW insert'],
    since: '2.0.0',
    complexity: rewriting,
    summary: 'Append to a value, or create it',
    run: append,
  },
  {
    name: 'getrange',
    arity: 4,
    flags: 'readonly',
    keys: key1,
    keyFlags: ['RO access'],
    since: '2.4.0',
    complexity: 'O(N) where N is the length of the part.',
    summary: 'Get a part of a value',
    run: getrange,
  },
  {
    name: 'substr',
    arity: 4,
    flags: 'readonly',
    keys: key1,
    keyFlags: ['RO access'],
    since: '1.0.0',
    complexity: 'O(N) where N is the length of the part.',
    summary: 'Get a part of a value: the old name of GETRANGE',
    run: getrange,
  },
  {
    name: 'setrange',
    arity: 4,
    flags: 'write denyoom',
    keys: key1,
    keyFlags: ['RW update'],
    since: '2.2.0',
    complexity: rewriting,
    summary: 'Overwrite a part of a value from an offset on',
    run: setrange,
  },
  {
    name: 'incr',
    arity: 2,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Add one to an integer value',
    run: (session, args, out) => increment(session, args, out, 1),
  },
  {
    name: 'decr',
    arity: 2,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Subtract one from an integer value',
    run: (session, args, out) => increment(session, args, out, -1),
  },
  {
    name: 'incrby',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Add to an integer value',
    run: (session, args, out) => incrementBy(session, args, out, 1),
  },
  {
    name: 'decrby',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Subtract from an integer value',
    run: (session, args, out) => incrementBy(session, args, out, -1),
  },
  {
    name: 'incrbyfloat',
    arity: 3,
    flags: 'write denyoom fast',
    keys: key1,
    keyFlags: ['RW access update'],
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'Add to a decimal value',
    run: incrbyfloat,
  },
  {
    name: 'lcs',
    arity: -3,
    flags: 'readonly',
    keys: [1, 2, 1],
    keyFlags: ['RO access'],
    since: '7.0.0',
    complexity: 'O(N*M) where N and M are the lengths of the values.',
    summary: 'Find the longest common subsequence of two values',
    run: lcs,
  },
]
