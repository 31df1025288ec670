import type { CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { runCommand } from './command-run.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

/** What a watched key costs besides its bytes. */
const watchedKeyBytes = 120

function multi(session: Session, _: CommandArguments, out: ReplyWriter): void {
  if (session.transaction !== undefined) {
    out.error('ERR MULTI calls can not be nested')
    return
  }
  session.transaction = { queue: [], bytes: 0, broken: false }
  out.ok()
}

function discard(session: Session, _: CommandArguments, out: ReplyWriter): void {
  if (session.transaction === undefined) {
    out.error('ERR DISCARD without MULTI')
    return
  }
  session.endTransaction()
  out.ok()
}

/**
 * Optimistic locking by the sequence of the record, so that a write by any protocol is seen. A key that was absent, came
 * and went again meanwhile counts as unchanged.
 */
function watch(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (session.transaction !== undefined) {
    out.error('ERR WATCH inside MULTI is not allowed')
    return
  }
  const { store, limits } = session.node
  for (let i = 1; i < args.count; i++) {
    const key = args.text(i)
    if (session.watched.has(key)) continue
    const bytes = key.length + watchedKeyBytes
    if (session.watchedBytes + bytes > limits.transactionBytesMax) {
      out.error(`ERR at most ${limits.transactionBytesMax} bytes of keys can be watched: EXEC or UNWATCH first`)
      return
    }
    session.watched.set(key, store.borrow(args.bytes, args.start(i), args.end(i))?.sequence ?? 0)
    session.watchedBytes += bytes
    session.node.heldBytes += bytes
  }
  if (session.node.heldBytes > limits.clientsBytesMax) session.node.evict()
  out.ok()
}

function unwatch(session: Session, _: CommandArguments, out: ReplyWriter): void {
  session.unwatch()
  out.ok()
}

function watchedChanged(session: Session): boolean {
  const { store } = session.node
  for (const [key, sequence] of session.watched) {
    const bytes = Buffer.from(key, 'latin1')
    if ((store.borrow(bytes, 0, bytes.length)?.sequence ?? 0) !== sequence) return true
  }
  return false
}

function exec(session: Session, _: CommandArguments, out: ReplyWriter): void {
  const { transaction } = session
  if (transaction === undefined) {
    out.error('ERR EXEC without MULTI')
    return
  }
  const { queue, broken } = transaction
  const changed = !broken && watchedChanged(session)
  session.endTransaction()
  if (broken) {
    out.error('EXECABORT Transaction discarded because of previous errors.')
    return
  }
  if (changed) {
    out.noneArray()
    return
  }
  session.executing = true
  try {
    const runAll = () => {
      out.array(queue.length)
      for (const { command, args } of queue) runCommand(session, command, args, out)
    }
    // One batch: after a crash all of it is there, or nothing.
    if (queue.some(({ command }) => command.isWrite)) session.node.store.atomic(runAll)
    else runAll()
  } finally {
    session.executing = false
  }
}

const atOnce = 'noscript loading stale fast allow_busy'

export const transactionCommands: readonly CommandSpec[] = [
  {
    name: 'multi',
    arity: 1,
    flags: atOnce,
    since: '1.2.0',
    complexity: 'O(1)',
    summary: 'Begin a transaction',
    neverQueued: true,
    run: multi,
  },
  {
    name: 'exec',
    arity: 1,
    flags: 'noscript loading stale skip_slowlog',
    since: '1.2.0',
    complexity: 'Depends on commands in the transaction',
    summary: 'Run the commands queued since MULTI, atomically',
    neverQueued: true,
    run: exec,
  },
  {
    name: 'discard',
    arity: 1,
    flags: atOnce,
    since: '2.0.0',
    complexity: 'O(N) where N is the number of queued commands.',
    summary: 'Drop the commands queued since MULTI',
    neverQueued: true,
    run: discard,
  },
  {
    name: 'watch',
    arity: -2,
    flags: atOnce,
    keys: [1, -1, 1],
    keyFlags: ['RO'],
    since: '2.2.0',
    complexity: 'O(1) for every key.',
    summary: 'Make the next EXEC depend on keys not having changed',
    neverQueued: true,
    run: watch,
  },
  {
    name: 'unwatch',
    arity: 1,
    flags: atOnce,
    since: '2.2.0',
    complexity: 'O(1)',
    summary: 'Forget the watched keys',
    run: unwatch,
  },
]
