import type { Entry } from '@caskade/engine'
import type { CommandSpec, Reply } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { helpReply, int32Argument, integerArgument, lookup, syntaxError } from './command-replies.js'
import { Glob } from './glob.js'
import { readInteger } from './integer-text.js'
import { randomKey } from './random-key.js'
import { ReplyWriter } from './reply-writer.js'
import type { RespNode, Session } from './session.js'
import { scanInSlices } from './sliced-scan.js'

const databaseOutOfRange = 'ERR DB index is out of range'
/** How long one SCAN may look for its COUNT of keys, in milliseconds: the cursor lets it stop anywhere. */
const scanTurnMs = 5
/** Longest value Redis keeps in one allocation with its header. */
const embeddedBytesMax = 44
/** Integers up to here are shared objects in Redis, with this count of references. */
const sharedIntegers = 10_000
const sharedReferences = 2_147_483_647
/** Bytes of a record besides key and value, roughly: header, index entry, filter bits. */
const recordOverheadBytes = 48

function del(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const { store } = session.node
  const remove = () => {
    let removed = 0
    for (let i = 1; i < args.count; i++) {
      if (store.borrow(args.bytes, args.start(i), args.end(i)) === undefined) continue
      store.deleteFrom(args.bytes, args.start(i), args.end(i))
      removed++
    }
    return removed
  }
  out.integer(args.count === 2 ? remove() : store.atomic(remove))
}

function countExisting(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let found = 0
  for (let i = 1; i < args.count; i++) if (lookup(session, args, i) !== undefined) found++
  out.integer(found)
}

function type(session: Session, args: CommandArguments, out: ReplyWriter): void {
  out.simple(lookup(session, args, 1) === undefined ? 'none' : 'string')
}

/** A compiled glob, or `undefined` after an error reply. */
function globArgument(args: CommandArguments, index: number, out: ReplyWriter): Glob | undefined {
  const glob = Glob.compile(args.view(index))
  if (glob instanceof Glob) return glob
  out.error(`ERR ${glob.reason}`)
  return undefined
}

function keysNow(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const glob = globArgument(args, 1, out)
  if (glob === undefined) return
  const keys: Uint8Array[] = []
  for (const { key } of session.node.store.scan({ keysOnly: true })) if (glob.matches(key)) keys.push(key)
  out.array(keys.length)
  for (const key of keys) out.bulkBytes(key)
}

function keysSliced(session: Session, args: CommandArguments, out: ReplyWriter): Promise<Reply> | undefined {
  const glob = globArgument(args, 1, out)
  if (glob === undefined) return undefined
  return findKeys(session, glob)
}

async function findKeys(session: Session, glob: Glob): Promise<Reply> {
  const { node } = session
  const found = new ReplyWriter(node.limits.outputBytesMax)
  let count = 0
  try {
    await scanInSlices(node, { keysOnly: true }, ({ key }) => {
      if (session.closed) return false
      if (glob.matches(key)) {
        found.bulkBytes(key)
        count++
        if (found.bytes.length !== session.gatheredBytes) session.gather(found.bytes.length)
      }
      return true
    })
  } finally {
    session.gather(0)
  }
  return (out) => {
    out.array(count)
    out.raw(found.bytes.subarray(0, found.length))
  }
}

interface ScanOptions {
  count: number
  glob: Glob | undefined
  type: string | undefined
}

function scanOptions(args: CommandArguments, out: ReplyWriter): ScanOptions | undefined {
  const options: ScanOptions = { count: 10, glob: undefined, type: undefined }
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) {
      out.error(syntaxError)
      return undefined
    }
    if (args.is(i, 'count')) {
      options.count = integerArgument(args, i + 1, out)
      if (Number.isNaN(options.count)) return undefined
      if (options.count < 1) {
        out.error(syntaxError)
        return undefined
      }
    } else if (args.is(i, 'match')) {
      options.glob = globArgument(args, i + 1, out)
      if (options.glob === undefined) return undefined
    } else if (args.is(i, 'type')) {
      options.type = args.text(i + 1).toLowerCase()
    } else {
      out.error(syntaxError)
      return undefined
    }
  }
  return options
}

/**
 * One step: the next COUNT keys behind the cursor's, in the store's order. A key that is there from the first step to the last is
 * returned exactly once, whatever is written meanwhile; one that comes or goes may be missed.
 */
function scan(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const { store, cursors, monotonic } = session.node
  // As strtoul reads it: nothing is 0.
  const cursorText = args.text(1) || '0'
  if (!/^[+-]?[0-9]+$/.test(cursorText) || BigInt(cursorText) >= 2n ** 64n) {
    out.error('ERR invalid cursor')
    return
  }
  const options = scanOptions(args, out)
  if (options === undefined) return
  const { count, glob, type } = options
  const cursor = BigInt(cursorText)
  const last = cursor === 0n ? '' : cursors.find(cursor.toString())
  if (last === undefined) {
    out.error('ERR invalid cursor: it is not one of this process, or it was not used for too long; start again from 0')
    return
  }
  const after = Buffer.from(last, 'latin1')
  const keys: Uint8Array[] = []
  let seen = 0
  let next = '0'
  const deadline = monotonic() + scanTurnMs
  // One more than asked for: is anything left?
  const range = after.length === 0 ? { keysOnly: true } : { after, keysOnly: true }
  let entry: Entry | undefined
  for (const found of store.scan(count < 2 ** 31 ? { ...range, limit: count + 1 } : range)) {
    if (entry !== undefined && (seen >= count || (seen % 64 === 0 && monotonic() > deadline))) {
      next = cursors.remember(Buffer.from(entry.key).toString('latin1'))
      break
    }
    entry = found
    seen++
    if ((type === undefined || type === 'string') && (glob === undefined || glob.matches(found.key)))
      keys.push(found.key)
  }
  out.array(2)
  out.bulkText(next)
  out.array(keys.length)
  for (const key of keys) out.bulkBytes(key)
}

function countNow(session: Session, _: CommandArguments, out: ReplyWriter): void {
  let count = 0
  for (const _entry of session.node.store.scan({ keysOnly: true })) count++
  out.integer(count)
}

/** Exact: counts the keys, once for all who ask at the same time, and not again before the next write. */
async function dbsize({ node }: Session): Promise<Reply> {
  const { sequence } = node.store.stats()
  if (node.counted?.sequence === sequence) {
    const { keys } = node.counted
    return (out) => out.integer(keys)
  }
  node.counting ??= countKeys(node).finally(() => {
    node.counting = undefined
  })
  const keys = await node.counting
  return (out) => out.integer(keys)
}

async function countKeys(node: RespNode): Promise<number> {
  const { sequence } = node.store.stats()
  let keys = 0
  let expiring = false
  await scanInSlices(node, { keysOnly: true }, (entry) => {
    keys++
    if (entry.expiresAt !== 0) expiring = true
    return true
  })
  // A count with keys that expire is old as soon as it is made.
  node.counted = expiring ? undefined : { sequence, keys }
  return keys
}

function randomkey({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  const key = randomKey(node.store, node.random)
  if (key === undefined) out.none()
  else out.bulkBytes(key)
}

/** RENAME and RENAMENX: the record moves whole, with its expiry and tag. */
const rename =
  (onlyNew: boolean) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    const { store, now } = session.node
    const entry = store.getEntry(args.view(1))
    if (entry === undefined) {
      out.error('ERR no such key')
      return
    }
    const taken = onlyNew && store.borrow(args.bytes, args.start(2), args.end(2)) !== undefined
    if (!taken && !args.equal(1, 2)) {
      store.atomic(() => {
        store.putSync(args.view(2), entry.value, { expiresAt: entry.expiresAt, tag: entry.tag, writtenAt: now })
        store.deleteSync(entry.key)
      })
    }
    if (onlyNew) out.integer(taken ? 0 : 1)
    else out.ok()
  }

function copy(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let replace = false
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'replace')) {
      replace = true
    } else if (args.is(i, 'db') && i + 1 < args.count) {
      const database = int32Argument(args, ++i, out)
      if (Number.isNaN(database)) return
      if (database !== 0) {
        out.error(databaseOutOfRange)
        return
      }
    } else {
      out.error(syntaxError)
      return
    }
  }
  if (args.equal(1, 2)) {
    out.error('ERR source and destination objects are the same')
    return
  }
  const { store, now } = session.node
  const entry = store.getEntry(args.view(1))
  const taken = !replace && store.borrow(args.bytes, args.start(2), args.end(2)) !== undefined
  if (entry === undefined || taken) {
    out.integer(0)
    return
  }
  store.putSync(args.view(2), entry.value, { expiresAt: entry.expiresAt, tag: entry.tag, writtenAt: now })
  out.integer(1)
}

type Describe = (value: { length: number; integer: number }, out: ReplyWriter) => void

/** OBJECT of a key: what Redis would say of a value just SET. */
const object =
  (describe: Describe) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    const record = session.node.store.borrow(args.bytes, args.start(2), args.end(2))
    if (record === undefined) {
      out.none()
      return
    }
    const { bytes, valueStart, valueEnd } = record
    describe({ length: valueEnd - valueStart, integer: readInteger(bytes, valueStart, valueEnd) }, out)
  }

function memoryUsage(session: Session, args: CommandArguments, out: ReplyWriter): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, 'samples') || i + 1 >= args.count) {
      out.error(syntaxError)
      return
    }
    const samples = integerArgument(args, i + 1, out)
    if (Number.isNaN(samples)) return
    if (samples < 0) {
      out.error(syntaxError)
      return
    }
  }
  const record = session.node.store.borrow(args.bytes, args.start(2), args.end(2))
  if (record === undefined) out.none()
  else out.integer(args.length(2) + record.valueEnd - record.valueStart + recordOverheadBytes)
}

function flushNow(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (!flushArguments(args, out)) return
  const { store } = session.node
  const keys = [...store.scan({ keysOnly: true })]
  for (const { key } of keys) store.deleteSync(key)
  out.ok()
}

function flushArguments(args: CommandArguments, out: ReplyWriter): boolean {
  if (args.count === 1 || (args.count === 2 && (args.is(1, 'sync') || args.is(1, 'async')))) return true
  out.error(syntaxError)
  return false
}

function flush(session: Session, args: CommandArguments, out: ReplyWriter): Promise<Reply> | undefined {
  if (!flushArguments(args, out)) return undefined
  session.node.counted = undefined
  return session.node.store.clear().then(() => (later) => later.ok())
}

const objectHelp = [
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
]

const key1 = [1, 1, 1] as const
const key2 = [2, 2, 1] as const
const everyKey = [1, -1, 1] as const
const allShards = 'request_policy:all_shards'
const sumOfShards = 'request_policy:multi_shard response_policy:agg_sum'

const objectOf = (name: string, since: string, summary: string, describe: Describe): CommandSpec => ({
  name,
  arity: 3,
  flags: 'readonly',
  keys: key2,
  keyFlags: ['RO'],
  tips: 'nondeterministic_output',
  since,
  complexity: 'O(1)',
  summary,
  run: object(describe),
})

const flushing = (name: string): CommandSpec => ({
  name,
  arity: -1,
  flags: 'write',
  categories: '@keyspace @dangerous',
  tips: 'request_policy:all_shards response_policy:all_succeeded',
  since: '1.0.0',
  complexity: 'O(1); O(N) inside MULTI, where N is the number of keys.',
  summary: 'Remove all keys',
  run: flushNow,
  runSliced: flush,
})

export const keyspaceCommands: readonly CommandSpec[] = [
  {
    name: 'del',
    arity: -2,
    flags: 'write',
    keys: everyKey,
    keyFlags: ['RM delete'],
    tips: sumOfShards,
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Delete keys',
    run: del,
  },
  {
    name: 'unlink',
    arity: -2,
    flags: 'write fast',
    keys: everyKey,
    keyFlags: ['RM delete'],
    tips: sumOfShards,
    since: '4.0.0',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Delete keys: the same as DEL here',
    run: del,
  },
  {
    name: 'exists',
    arity: -2,
    flags: 'readonly fast',
    keys: everyKey,
    keyFlags: ['RO'],
    tips: sumOfShards,
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Count the keys that exist',
    run: countExisting,
  },
  {
    name: 'touch',
    arity: -2,
    flags: 'readonly fast',
    keys: everyKey,
    keyFlags: ['RO'],
    tips: sumOfShards,
    since: '3.2.1',
    complexity: 'O(N) where N is the number of keys.',
    summary: 'Count the keys that exist: access times are not kept here',
    run: countExisting,
  },
  {
    name: 'type',
    arity: 2,
    flags: 'readonly fast',
    keys: key1,
    keyFlags: ['RO'],
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Get the type of a key: string or none',
    run: type,
  },
  {
    name: 'keys',
    arity: 2,
    flags: 'readonly',
    categories: '@keyspace @dangerous',
    tips: 'request_policy:all_shards nondeterministic_output_order',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of keys; other clients are served meanwhile.',
    summary: 'Find all keys that match a pattern',
    run: keysNow,
    runSliced: keysSliced,
  },
  {
    name: 'scan',
    arity: -2,
    flags: 'readonly',
    tips: 'nondeterministic_output request_policy:special',
    since: '2.8.0',
    complexity: 'O(COUNT) a call, O(N) for the whole iteration, where N is the number of keys.',
    summary: 'Iterate over the keys',
    run: scan,
  },
  {
    name: 'dbsize',
    arity: 1,
    flags: 'readonly fast',
    tips: 'request_policy:all_shards response_policy:agg_sum',
    since: '1.0.0',
    complexity:
      'O(N) where N is the number of keys, O(1) when nothing was written since; other clients are served meanwhile.',
    summary: 'Count all keys',
    run: countNow,
    runSliced: dbsize,
  },
  {
    name: 'randomkey',
    arity: 1,
    flags: 'readonly',
    tips: `${allShards} nondeterministic_output`,
    since: '1.0.0',
    complexity: 'O(log N) where N is the number of keys.',
    summary: 'Get a random key',
    run: randomkey,
  },
  {
    name: 'rename',
    arity: 3,
    flags: 'write',
    keys: [1, 2, 1],
    keyFlags: ['RW access delete', 'OW update'],
    since: '1.0.0',
    complexity: 'O(N) where N is the length of the value.',
    summary: 'Rename a key, atomically',
    run: rename(false),
  },
  {
    name: 'renamenx',
    arity: 3,
    flags: 'write fast',
    keys: [1, 2, 1],
    keyFlags: ['RW access delete', 'OW insert'],
    since: '1.0.0',
    complexity: 'O(N) where N is the length of the value.',
    summary: 'Rename a key, atomically, if the new name is free',
    run: rename(true),
  },
  {
    name: 'copy',
    arity: -3,
    flags: 'write denyoom',
    keys: [1, 2, 1],
    keyFlags: ['RO access', 'OW update'],
    since: '6.2.0',
    complexity: 'O(N) where N is the length of the value.',
    summary: 'Copy the value and expiry of a key to another key',
    run: copy,
  },
  {
    name: 'object',
    arity: -2,
    since: '2.2.3',
    complexity: 'Depends on subcommand.',
    summary: 'What is known about the value of a key',
    subcommands: [
      objectOf('encoding', '2.2.3', 'How Redis would store the value', ({ length, integer }, out) => {
        out.bulkText(Number.isNaN(integer) ? (length <= embeddedBytesMax ? 'embstr' : 'raw') : 'int')
      }),
      objectOf('freq', '4.0.0', 'Access frequency: not kept here', (_, out) => {
        out.error(
          'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
        )
      }),
      objectOf('idletime', '2.2.3', 'Seconds since the last access: not kept here, 0', (_, out) => out.integer(0)),
      objectOf('refcount', '2.2.3', 'References to the value, as Redis would count them', ({ integer }, out) => {
        out.integer(integer >= 0 && integer < sharedIntegers ? sharedReferences : 1)
      }),
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '6.2.0',
        complexity: 'O(1)',
        summary: 'Show the subcommands',
        run: (_session, _args, out) => helpReply(out, 'object', objectHelp),
      },
    ],
  },
  {
    name: 'memory',
    arity: -2,
    categories: ' ',
    since: '4.0.0',
    complexity: 'Depends on subcommand.',
    summary: 'What the data takes',
    subcommands: [
      {
        name: 'usage',
        arity: -3,
        flags: 'readonly',
        keys: key2,
        keyFlags: ['RO'],
        categories: '@read',
        since: '4.0.0',
        complexity: 'O(1)',
        summary: 'Estimate the bytes that a key and its value take',
        run: memoryUsage,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        categories: ' ',
        since: '4.0.0',
        complexity: 'O(1)',
        summary: 'Show the subcommands',
        run: (_session, _args, out) =>
          helpReply(out, 'memory', [
            'USAGE <key> [SAMPLES <count>]',
            '    Return the bytes that <key> and its value take, roughly.',
          ]),
      },
    ],
  },
  flushing('flushall'),
  flushing('flushdb'),
]
