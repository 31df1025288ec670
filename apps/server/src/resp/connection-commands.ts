import { passwordMatches } from './authentication.js'
import { clientLine } from './client-line.js'
import type { CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { helpReply, int32Argument, integerArgument, syntaxError, wrongArity } from './command-replies.js'
import { readInteger } from './integer-text.js'
import { redisVersion } from './redis-version.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

const wrongPassword = 'WRONGPASS invalid username-password pair or user is disabled.'
const badName = 'Client names cannot contain spaces, newlines or special characters.'

function ping(_: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count > 2) out.error(wrongArity('ping'))
  else if (args.count === 2) out.bulk(args.bytes, args.start(1), args.end(1))
  else out.simple('PONG')
}

function select(_: Session, args: CommandArguments, out: ReplyWriter): void {
  const database = int32Argument(args, 1, out)
  if (Number.isNaN(database)) return
  if (database === 0) out.ok()
  else out.error('ERR DB index is out of range')
}

/** Whether user and password (arguments) are right; then the session may do everything. Without a password any is. */
function authenticate(session: Session, args: CommandArguments, user: number | undefined, password: number): boolean {
  const { node } = session
  const known = user === undefined || args.text(user) === 'default'
  const matches = node.password === undefined || passwordMatches(args.view(password), node.password)
  if (known && matches) {
    session.authenticated = true
    return true
  }
  node.counters.authFailures++
  return false
}

function auth(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count > 3) {
    out.error(syntaxError)
  } else if (args.count === 2 && session.node.password === undefined) {
    out.error(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    )
  } else if (args.count === 2 ? authenticate(session, args, undefined, 1) : authenticate(session, args, 1, 2)) {
    out.ok()
  } else {
    out.error(wrongPassword)
  }
}

/** Printable ASCII without blanks: a name must not break the lines of CLIENT LIST. */
const printable = (text: string) => /^[!-~]*$/.test(text)

function hello(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let version: number = session.protocol
  if (args.count >= 2) {
    version = integerArgument(args, 1, out, 'ERR Protocol version is not an integer or out of range')
    if (Number.isNaN(version)) return
    if (version < 2 || version > 3) {
      out.error('NOPROTO unsupported protocol version')
      return
    }
  }
  for (let i = 2; i < args.count; i++) {
    const more = args.count - 1 - i
    if (args.is(i, 'auth') && more >= 2) {
      if (!authenticate(session, args, i + 1, i + 2)) {
        out.error(wrongPassword)
        return
      }
      i += 2
    } else if (args.is(i, 'setname') && more >= 1) {
      if (!printable(args.text(++i))) {
        out.error(`ERR ${badName}`)
        return
      }
      session.name = args.text(i)
    } else {
      out.error(`ERR Syntax error in HELLO option '${args.shown(i)}'`)
      return
    }
  }
  if (!session.authenticated) {
    out.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    )
    return
  }
  session.protocol = out.protocol = version === 3 ? 3 : 2
  out.map(7)
  out.bulkText('server')
  out.bulkText('redis')
  out.bulkText('version')
  out.bulkText(redisVersion)
  out.bulkText('proto')
  out.integer(version)
  out.bulkText('id')
  out.integer(session.id)
  out.bulkText('mode')
  out.bulkText('standalone')
  out.bulkText('role')
  out.bulkText('master')
  out.bulkText('modules')
  out.array(0)
}

function clientSetname(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (!printable(args.text(2))) {
    out.error(`ERR ${badName}`)
    return
  }
  session.name = args.text(2)
  out.ok()
}

function clientGetname(session: Session, _: CommandArguments, out: ReplyWriter): void {
  if (session.name === '') out.none()
  else out.bulkText(session.name)
}

function clientSetinfo(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const value = args.text(3)
  if (!args.is(2, 'lib-name') && !args.is(2, 'lib-ver')) {
    out.error(`ERR Unrecognized option '${args.shown(2)}'`)
  } else if (!printable(value)) {
    out.error(`ERR ${args.text(2).toLowerCase()} cannot contain spaces, newlines or special characters.`)
  } else {
    if (args.is(2, 'lib-name')) session.libraryName = value
    else session.libraryVersion = value
    out.ok()
  }
}

const clientTypes = ['normal', 'master', 'replica', 'slave', 'pubsub']

/** All clients here are normal ones; `undefined` after an error reply. */
function clientType(args: CommandArguments, index: number, out: ReplyWriter): string | undefined {
  const type = args.text(index).toLowerCase()
  if (clientTypes.includes(type)) return type
  out.error(`ERR Unknown client type '${args.shown(index)}'`)
  return undefined
}

function clientList(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const { sessions } = session.node
  let listed = [...sessions.values()]
  if (args.count === 4 && args.is(2, 'type')) {
    const type = clientType(args, 3, out)
    if (type === undefined) return
    if (type !== 'normal') listed = []
  } else if (args.count > 3 && args.is(2, 'id')) {
    listed = []
    for (let i = 3; i < args.count; i++) {
      const id = integerArgument(args, i, out, 'ERR Invalid client ID')
      if (Number.isNaN(id)) return
      const found = sessions.get(id)
      if (found !== undefined) listed.push(found)
    }
  } else if (args.count !== 2) {
    out.error(syntaxError)
    return
  }
  out.verbatim(listed.map((one) => `${clientLine(one)}\n`).join(''))
}

interface KillFilter {
  id: number | undefined
  address: string | undefined
  localAddress: string | undefined
  normal: boolean
  skipMe: boolean
}

function killFilter(args: CommandArguments, out: ReplyWriter): KillFilter | undefined {
  const filter: KillFilter = { id: undefined, address: undefined, localAddress: undefined, normal: true, skipMe: true }
  if (args.count === 3) return { ...filter, address: args.text(2), skipMe: false }
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) {
      out.error(syntaxError)
      return undefined
    }
    const value = args.text(i + 1)
    if (args.is(i, 'id')) {
      filter.id = readInteger(args.bytes, args.start(i + 1), args.end(i + 1))
      if (!(filter.id >= 1)) {
        out.error('ERR client-id should be greater than 0')
        return undefined
      }
    } else if (args.is(i, 'type')) {
      const type = clientType(args, i + 1, out)
      if (type === undefined) return undefined
      filter.normal = type === 'normal'
    } else if (args.is(i, 'addr')) {
      filter.address = value
    } else if (args.is(i, 'laddr')) {
      filter.localAddress = value
    } else if (args.is(i, 'user')) {
      if (value !== 'default') {
        out.error(`ERR No such user '${args.shown(i + 1)}'`)
        return undefined
      }
    } else if (args.is(i, 'skipme') && (args.is(i + 1, 'yes') || args.is(i + 1, 'no'))) {
      filter.skipMe = args.is(i + 1, 'yes')
    } else {
      out.error(syntaxError)
      return undefined
    }
  }
  return filter
}

function clientKill(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const filter = killFilter(args, out)
  if (filter === undefined) return
  let killed = 0
  for (const other of [...session.node.sessions.values()]) {
    if (!filter.normal || (filter.id !== undefined && other.id !== filter.id)) continue
    if (filter.address !== undefined && other.link.address !== filter.address) continue
    if (filter.localAddress !== undefined && other.link.localAddress !== filter.localAddress) continue
    if (other === session && filter.skipMe) continue
    killed++
    // Its own reply goes out first.
    if (other === session) session.closeAfterReply = true
    else other.link.kill()
  }
  if (args.count > 3) out.integer(killed)
  else if (killed === 0) out.error('ERR No such client')
  else out.ok()
}

function clientReply(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.is(2, 'on')) {
    session.replies = 'on'
    out.ok()
  } else if (args.is(2, 'off')) {
    session.replies = 'off'
  } else if (args.is(2, 'skip')) {
    if (session.replies !== 'off') session.replies = 'skipNext'
  } else {
    out.error(syntaxError)
  }
}

const clientSwitch =
  (apply: (session: Session, on: boolean) => void) =>
  (session: Session, args: CommandArguments, out: ReplyWriter): void => {
    if (!args.is(2, 'on') && !args.is(2, 'off')) {
      out.error(syntaxError)
      return
    }
    apply(session, args.is(2, 'on'))
    out.ok()
  }

const clientHelp = [
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are ADDR, LADDR, ID, TYPE, USER and SKIPME.',
  'LIST [TYPE <type> | ID <id> [<id> ...]]',
  '    Return information about client connections.',
  'NO-EVICT (ON|OFF)',
  '    Cut other connections before this one when all of them hold too much.',
  'NO-TOUCH (ON|OFF)',
  '    Accepted: access times are not kept.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETINFO (LIB-NAME|LIB-VER) <value>',
  '    Say which library is connected.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
]

const handshake = 'noscript loading stale fast no_auth allow_busy'
const ofClient = 'noscript loading stale'
const adminOfClient = 'admin noscript loading stale'

const clientSubcommands: readonly CommandSpec[] = [
  {
    name: 'id',
    arity: 2,
    flags: ofClient,
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Get the number of this connection',
    run: (session, _args, out) => out.integer(session.id),
  },
  {
    name: 'getname',
    arity: 2,
    flags: ofClient,
    since: '2.6.9',
    complexity: 'O(1)',
    summary: 'Get the name of this connection',
    run: clientGetname,
  },
  {
    name: 'setname',
    arity: 3,
    flags: ofClient,
    since: '2.6.9',
    complexity: 'O(1)',
    summary: 'Name this connection',
    run: clientSetname,
  },
  {
    name: 'setinfo',
    arity: 4,
    flags: ofClient,
    since: '7.2.0',
    complexity: 'O(1)',
    summary: 'Say which library is connected',
    run: clientSetinfo,
  },
  {
    name: 'info',
    arity: 2,
    flags: ofClient,
    tips: 'nondeterministic_output',
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'What CLIENT LIST says of this connection',
    run: (session, _args, out) => out.verbatim(`${clientLine(session)}\n`),
  },
  {
    name: 'list',
    arity: -2,
    flags: adminOfClient,
    tips: 'nondeterministic_output',
    since: '2.4.0',
    complexity: 'O(N) where N is the number of connections.',
    summary: 'List the connections',
    run: clientList,
  },
  {
    name: 'kill',
    arity: -3,
    flags: adminOfClient,
    since: '2.4.0',
    complexity: 'O(N) where N is the number of connections.',
    summary: 'Close connections',
    run: clientKill,
  },
  {
    name: 'reply',
    arity: 3,
    flags: ofClient,
    since: '3.2.0',
    complexity: 'O(1)',
    summary: 'Switch replies off and on',
    run: clientReply,
  },
  {
    name: 'no-evict',
    arity: 3,
    flags: adminOfClient,
    since: '7.0.0',
    complexity: 'O(1)',
    summary: 'Spare this connection when all of them hold too much',
    run: clientSwitch((session, on) => {
      session.noEvict = on
    }),
  },
  {
    name: 'no-touch',
    arity: 3,
    flags: ofClient,
    since: '7.2.0',
    complexity: 'O(1)',
    summary: 'Accepted: access times are not kept',
    run: clientSwitch(() => {}),
  },
  {
    name: 'help',
    arity: 2,
    flags: 'loading stale',
    since: '5.0.0',
    complexity: 'O(1)',
    summary: 'Show the subcommands',
    run: (_session, _args, out) => helpReply(out, 'client', clientHelp),
  },
]

/** No replicas yet, so none to wait for: the answer is 0, at once. */
function wait(_: Session, args: CommandArguments, out: ReplyWriter): void {
  if (Number.isNaN(integerArgument(args, 1, out))) return
  const timeout = integerArgument(args, 2, out, 'ERR timeout is not an integer or out of range')
  if (Number.isNaN(timeout)) return
  if (timeout < 0) out.error('ERR timeout is negative')
  else out.integer(0)
}

export const connectionCommands: readonly CommandSpec[] = [
  {
    name: 'ping',
    arity: -1,
    flags: 'fast',
    tips: 'request_policy:all_shards response_policy:all_succeeded',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Answer PONG, or the argument',
    run: ping,
  },
  {
    name: 'echo',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Answer the argument',
    run: (_session, args, out) => out.bulk(args.bytes, args.start(1), args.end(1)),
  },
  {
    name: 'quit',
    arity: -1,
    flags: handshake,
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Close this connection',
    neverQueued: true,
    run: (session, _args, out) => {
      session.closeAfterReply = true
      out.ok()
    },
  },
  {
    name: 'reset',
    arity: 1,
    flags: handshake,
    since: '6.2.0',
    complexity: 'O(1)',
    summary: 'Make this connection as if it were new',
    neverQueued: true,
    run: (session, _args, out) => {
      session.reset(out)
      out.simple('RESET')
    },
  },
  {
    name: 'select',
    arity: 2,
    flags: 'loading stale fast',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Select a database: there is one, 0',
    run: select,
  },
  {
    name: 'auth',
    arity: -2,
    flags: handshake,
    secretFrom: 1,
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Give the password',
    run: auth,
  },
  {
    name: 'hello',
    arity: -1,
    flags: handshake,
    secretFrom: 2,
    since: '6.0.0',
    complexity: 'O(1)',
    summary: 'Choose the protocol version, and give the password',
    run: hello,
  },
  {
    name: 'client',
    arity: -2,
    since: '2.4.0',
    complexity: 'Depends on subcommand.',
    summary: 'This connection and the others',
    subcommands: clientSubcommands,
  },
  {
    name: 'wait',
    arity: 3,
    flags: 'noscript',
    tips: 'request_policy:all_shards response_policy:agg_min',
    since: '3.0.0',
    complexity: 'O(1)',
    summary: 'Count the replicas that have everything: none',
    run: wait,
  },
]
