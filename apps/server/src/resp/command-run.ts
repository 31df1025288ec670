import type { Command, Reply } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { keyIndexes } from './command-keys.js'
import { wrongArity } from './command-replies.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'
import { storeFailure } from './store-failure.js'

const keyBytesMax = 65_535
/** What a queued command costs besides its bytes. */
const queuedCommandBytes = 300
const noAuth = 'NOAUTH Authentication required.'

/**
 * Runs one received command to its reply in `out`, or queues or refuses it, in Redis's order of checks. A promise: the
 * reply comes later, and so must whatever follows on this connection.
 */
export function dispatch(session: Session, args: CommandArguments, out: ReplyWriter): Promise<Reply> | undefined {
  const { node } = session
  node.counters.commands++
  const start = out.length
  let command = node.commands.find(args.bytes, args.start(0), args.end(0))
  let refusal: string | undefined
  if (command === undefined) {
    if (isCrossProtocol(args)) {
      session.link.kill()
      return undefined
    }
    refusal = unknownCommand(args)
  } else if (command.children !== undefined && args.count > 1) {
    const child = command.children.find(args.bytes, args.start(1), args.end(1))
    if (child === undefined) refusal = unknownSubcommand(args)
    else command = child
  }
  if (command !== undefined && refusal === undefined) refusal = refused(session, command, args)
  if (command === undefined || refusal !== undefined) {
    refuse(session, command, refusal!, out)
    return finish(session, out, start)
  }
  session.lastCommand = command
  if (session.transaction !== undefined && command.neverQueued !== true) {
    enqueue(session, command, args, out)
    return finish(session, out, start)
  }
  if (command.runSliced !== undefined) {
    const pending = runSliced(session, command, args, out)
    return pending ?? finish(session, out, start)
  }
  runCommand(session, command, args, out)
  return session.replies === 'on' ? undefined : finish(session, out, start)
}

/** CLIENT REPLY. */
function finish(session: Session, out: ReplyWriter, start: number): undefined {
  if (session.replies === 'on') return
  if (session.replies === 'skipNext') {
    // This was CLIENT REPLY SKIP itself.
    session.replies = 'skip'
  } else if (session.replies === 'skip') {
    session.replies = 'on'
  }
  out.length = start
}

/** Why the command will not even be tried. */
function refused(session: Session, command: Command, args: CommandArguments): string | undefined {
  const { count } = args
  if (command.arity > 0 ? count !== command.arity : count < -command.arity) return wrongArity(command.fullName)
  if (command.needsAuth && !session.authenticated) return noAuth
  if (command.firstKey !== 0) {
    if (command.lastKey === command.firstKey) return invalidKey(args, command.firstKey)
    for (const index of keyIndexes(command, count)) {
      const problem = invalidKey(args, index)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function invalidKey(args: CommandArguments, index: number): string | undefined {
  const length = args.length(index)
  return length > 0 && length <= keyBytesMax
    ? undefined
    : `ERR invalid key: a key has 1 to ${keyBytesMax} bytes, not ${length}`
}

function refuse(session: Session, command: Command | undefined, message: string, out: ReplyWriter): void {
  const { node, transaction } = session
  if (command !== undefined) node.statistics.rejected[command.number]!++
  if (command?.name === 'exec') {
    session.endTransaction()
    out.error(`EXECABORT Transaction discarded because of: ${message.replace(/^ERR /, '')}`)
  } else {
    if (transaction !== undefined) transaction.broken = true
    out.error(message)
  }
  countError(session, out)
}

function countError(session: Session, out: ReplyWriter): void {
  const { counters, errorCounts } = session.node
  counters.errorReplies++
  errorCounts.set(out.errorCode, (errorCounts.get(out.errorCode) ?? 0) + 1)
}

function enqueue(session: Session, command: Command, args: CommandArguments, out: ReplyWriter): void {
  const { node } = session
  const transaction = session.transaction!
  if (!transaction.broken) {
    const own = args.own()
    const bytes = own.bytes.length + own.offsets.byteLength + queuedCommandBytes
    if (transaction.bytes + bytes > node.limits.transactionBytesMax) {
      const problem = `ERR a transaction holds at most ${node.limits.transactionBytesMax} bytes of commands: DISCARD and split it`
      refuse(session, command, problem, out)
      return
    }
    transaction.queue.push({ command, args: own })
    transaction.bytes += bytes
    node.heldBytes += bytes
    if (node.heldBytes > node.limits.clientsBytesMax) node.evict()
  }
  out.simple('QUEUED')
}

/** The command itself: whatever it throws is its reply, and the statistics have it. */
export function runCommand(session: Session, command: Command, args: CommandArguments, out: ReplyWriter): void {
  const { node } = session
  const started = node.mark
  const start = out.length
  const { errors } = out
  if (command.isWrite) session.wrote = true
  try {
    command.run!(session, args, out)
  } catch (error) {
    out.length = start
    out.error(storeFailure(node, command.fullName, error))
  }
  if (out.errors !== errors) {
    node.statistics.failed[command.number]!++
    countError(session, out)
  }
  account(session, command, args, started)
}

function account(session: Session, command: Command, args: CommandArguments, started: number): void {
  const { node } = session
  const now = node.monotonic()
  node.mark = now
  const microseconds = ((now - started) * 1000) | 0
  node.statistics.add(command.number, microseconds)
  const { slowLog, latency } = node
  if (microseconds >= slowLog.threshold && slowLog.threshold >= 0) noteSlow(session, command, args, microseconds)
  if (latency.threshold !== 0 && microseconds >= latency.threshold * 1000) {
    const event = command.isFast ? 'fast-command' : 'command'
    latency.add(event, Math.floor(microseconds / 1000), Math.floor(node.clock() / 1000))
  }
}

function noteSlow(session: Session, command: Command, args: CommandArguments, microseconds: number): void {
  if (command.flagNames.includes('skip_slowlog')) return
  const timeSeconds = Math.floor(session.node.clock() / 1000)
  const { name, link, node } = session
  const hiddenFrom = command.secretFrom ?? Number.POSITIVE_INFINITY
  node.slowLog.add(args, hiddenFrom, { timeSeconds, microseconds, address: link.address, name })
}

function runSliced(
  session: Session,
  command: Command,
  args: CommandArguments,
  out: ReplyWriter,
): Promise<Reply> | undefined {
  const { node } = session
  const started = node.monotonic()
  const start = out.length
  const { errors } = out
  const own = args.own()
  if (command.isWrite) session.wrote = true
  const fail = (error: unknown): Reply => {
    const message = storeFailure(node, command.fullName, error)
    return (later) => {
      later.error(message)
      node.statistics.failed[command.number]!++
      countError(session, later)
    }
  }
  let pending: Promise<Reply> | undefined
  try {
    pending = command.runSliced!(session, own, out)
  } catch (error) {
    out.length = start
    pending = Promise.resolve(fail(error))
  }
  if (pending === undefined) {
    if (out.errors !== errors) {
      node.statistics.failed[command.number]!++
      countError(session, out)
    }
    account(session, command, own, started)
    return undefined
  }
  return pending.catch(fail).then((reply) => (later) => {
    // The time others were served in between counts too: it is what the client waited.
    account(session, command, own, started)
    const at = later.length
    try {
      reply(later)
    } catch (error) {
      later.length = at
      fail(error)(later)
    }
    finish(session, later, at)
  })
}

/** A browser made to talk to this port: HTTP headers are not commands. Redis closes on the same two words. */
function isCrossProtocol(args: CommandArguments): boolean {
  return args.is(0, 'host:') || args.is(0, 'post')
}

const echoedMax = 128

function unknownCommand(args: CommandArguments): string {
  let shown = ''
  for (let i = 1; i < args.count && shown.length < echoedMax; i++) {
    shown += `'${args.shown(i, echoedMax - shown.length)}' `
  }
  return `ERR unknown command '${args.shown(0, echoedMax)}', with args beginning with: ${shown}`
}

function unknownSubcommand(args: CommandArguments): string {
  return `ERR unknown subcommand '${args.shown(1, echoedMax)}'. Try ${args.text(0).toUpperCase()} HELP.`
}
