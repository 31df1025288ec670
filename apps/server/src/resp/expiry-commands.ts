import type { CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { lookup, ownValue } from './command-replies.js'
import { type ExpireUnit, expireTime } from './expire-time.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

interface Conditions {
  nx: boolean
  xx: boolean
  gt: boolean
  lt: boolean
}

/** `undefined` after an error reply. */
function expireConditions(args: CommandArguments, out: ReplyWriter): Conditions | undefined {
  const conditions: Conditions = { nx: false, xx: false, gt: false, lt: false }
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'nx')) conditions.nx = true
    else if (args.is(i, 'xx')) conditions.xx = true
    else if (args.is(i, 'gt')) conditions.gt = true
    else if (args.is(i, 'lt')) conditions.lt = true
    else {
      out.error(`ERR Unsupported option ${args.shown(i)}`)
      return undefined
    }
  }
  const { nx, xx, gt, lt } = conditions
  if (nx && (xx || gt || lt)) {
    out.error('ERR NX and XX, GT or LT options at the same time are not compatible')
    return undefined
  }
  if (gt && lt) {
    out.error('ERR GT and LT options at the same time are not compatible')
    return undefined
  }
  return conditions
}

/** No expiry counts as an infinite one. */
function allows({ nx, xx, gt, lt }: Conditions, old: number, time: number): boolean {
  if (nx && old !== 0) return false
  if (xx && old === 0) return false
  if (gt && (old === 0 || time <= old)) return false
  return !(lt && old !== 0 && time >= old)
}

const expire =
  (name: string, unit: ExpireUnit, relative: boolean) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    const conditions = expireConditions(args, out)
    if (conditions === undefined) return
    const { store, clock } = session.node
    const now = clock()
    const time = expireTime(args, 2, unit, relative ? now : 0, name, out)
    if (Number.isNaN(time)) return
    const record = lookup(session, args, 1)
    if (record === undefined || !allows(conditions, record.expiresAt, time)) {
      out.integer(0)
      return
    }
    if (time <= now) {
      store.deleteFrom(args.bytes, args.start(1), args.end(1))
    } else {
      const value = ownValue(record)
      store.putFrom(args.bytes, args.start(1), args.end(1), value, 0, value.length, time, record.tag, now)
    }
    out.integer(1)
  }

const timeToLive =
  (unit: ExpireUnit, absolute: boolean) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    const record = lookup(session, args, 1)
    if (record === undefined) {
      out.integer(-2)
    } else if (record.expiresAt === 0) {
      out.integer(-1)
    } else {
      const time = absolute ? record.expiresAt : Math.max(0, record.expiresAt - session.node.clock())
      out.integer(unit === 'seconds' ? Math.floor((time + 500) / 1000) : time)
    }
  }

function persist(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const record = lookup(session, args, 1)
  if (record === undefined || record.expiresAt === 0) {
    out.integer(0)
    return
  }
  const value = ownValue(record)
  const { store, now } = session.node
  store.putFrom(args.bytes, args.start(1), args.end(1), value, 0, value.length, 0, record.tag, now)
  out.integer(1)
}

const key1 = [1, 1, 1] as const
const rewriting = 'O(N) where N is the length of the value: records are immutable, so the value is written anew.'

const setter = (name: string, since: string, summary: string, unit: ExpireUnit, relative: boolean): CommandSpec => ({
  name,
  arity: -3,
  flags: 'write fast',
  keys: key1,
  keyFlags: ['RW update'],
  since,
  complexity: rewriting,
  summary,
  run: expire(name, unit, relative),
})

const getter = (name: string, since: string, summary: string, unit: ExpireUnit, absolute: boolean): CommandSpec => ({
  name,
  arity: 2,
  flags: 'readonly fast',
  keys: key1,
  keyFlags: ['RO access'],
  ...(absolute ? {} : { tips: 'nondeterministic_output' }),
  since,
  complexity: 'O(1)',
  summary,
  run: timeToLive(unit, absolute),
})

export const expiryCommands: readonly CommandSpec[] = [
  setter('expire', '1.0.0', 'Set the time to live of a key in seconds', 'seconds', true),
  setter('pexpire', '2.6.0', 'Set the time to live of a key in milliseconds', 'milliseconds', true),
  setter('expireat', '1.2.0', 'Set the Unix time in seconds at which a key expires', 'seconds', false),
  setter('pexpireat', '2.6.0', 'Set the Unix time in milliseconds at which a key expires', 'milliseconds', false),
  getter('expiretime', '7.0.0', 'Get the Unix time in seconds at which a key expires', 'seconds', true),
  getter('pexpiretime', '7.0.0', 'Get the Unix time in milliseconds at which a key expires', 'milliseconds', true),
  getter('ttl', '1.0.0', 'Get the time to live of a key in seconds', 'seconds', false),
  getter('pttl', '2.6.0', 'Get the time to live of a key in milliseconds', 'milliseconds', false),
  {
    name: 'persist',
    arity: 2,
    flags: 'write fast',
    keys: key1,
    keyFlags: ['RW update'],
    since: '2.2.0',
    complexity: rewriting,
    summary: 'Remove the expiry of a key',
    run: persist,
  },
]
