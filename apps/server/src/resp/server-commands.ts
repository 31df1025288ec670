import type { Command, CommandSpec } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import { writeCommandDocs, writeCommandInfo } from './command-description.js'
import { keyIndexes } from './command-keys.js'
import { helpReply, syntaxError } from './command-replies.js'
import { Glob } from './glob.js'
import { infoReport } from './info-report.js'
import { readInteger } from './integer-text.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

function time({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  const now = node.clock()
  out.array(2)
  out.bulkText(String(Math.floor(now / 1000)))
  out.bulkText(String(Math.floor((now % 1000) * 1000)))
}

function info(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const asked: string[] = []
  for (let i = 1; i < args.count; i++) asked.push(args.text(i))
  out.verbatim(infoReport(session.node, asked))
}

/** The command named by an argument: `get`, or `client|list`. */
function namedCommand(session: Session, name: string): Command | undefined {
  const [parent = '', child, ...rest] = name.split('|')
  const command = session.node.commands.findText(parent)
  if (child === undefined || rest.length > 0) return rest.length > 0 ? undefined : command
  return command?.children?.findText(child)
}

function allInfo({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  const { all } = node.commands
  out.array(all.length)
  for (const command of all) writeCommandInfo(out, command)
}

function commandInfo(session: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count === 2) {
    allInfo(session, args, out)
    return
  }
  out.array(args.count - 2)
  for (let i = 2; i < args.count; i++) writeCommandInfo(out, namedCommand(session, args.text(i)))
}

function commandDocs(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let described: Command[] = [...session.node.commands.all]
  if (args.count > 2) {
    described = []
    for (let i = 2; i < args.count; i++) {
      const command = namedCommand(session, args.text(i))
      if (command !== undefined) described.push(command)
    }
  }
  out.map(described.length)
  for (const command of described) {
    out.bulkText(command.fullName)
    writeCommandDocs(out, command)
  }
}

function commandList(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let keep: (command: Command) => boolean = () => true
  if (args.count === 5 && args.is(2, 'filterby')) {
    const value = args.text(4)
    const glob = Glob.compile(Buffer.from(value.toLowerCase(), 'latin1'))
    if (args.is(3, 'module')) keep = () => false
    else if (args.is(3, 'aclcat')) keep = ({ aclCategories }) => aclCategories.includes(`@${value.toLowerCase()}`)
    else if (args.is(3, 'pattern'))
      keep = ({ fullName }) => glob instanceof Glob && glob.matches(Buffer.from(fullName, 'latin1'))
    else {
      out.error(syntaxError)
      return
    }
  } else if (args.count !== 2) {
    out.error(syntaxError)
    return
  }
  const names = session.node.commands.numbered.filter(keep)
  out.array(names.length)
  for (const { fullName } of names) out.bulkText(fullName)
}

function commandGetkeys(session: Session, args: CommandArguments, out: ReplyWriter): void {
  let command = session.node.commands.findText(args.text(2))
  if (command?.children !== undefined && args.count > 3) command = command.children.findText(args.text(3))
  if (command === undefined) {
    out.error('ERR Invalid command specified')
    return
  }
  const count = args.count - 2
  if (command.firstKey === 0) {
    out.error('ERR The command has no key arguments')
  } else if (command.arity > 0 ? count !== command.arity : count < -command.arity) {
    out.error('ERR Invalid number of arguments specified for command')
  } else {
    const keys = keyIndexes(command, count)
    out.array(keys.length)
    for (const index of keys) out.bulk(args.bytes, args.start(index + 2), args.end(index + 2))
  }
}

function configGet({ node }: Session, args: CommandArguments, out: ReplyWriter): void {
  const patterns: Glob[] = []
  for (let i = 2; i < args.count; i++) {
    const glob = Glob.compile(Buffer.from(args.text(i).toLowerCase(), 'latin1'))
    if (glob instanceof Glob) patterns.push(glob)
  }
  const found = node.config.list((name) => patterns.some((glob) => glob.matches(Buffer.from(name, 'latin1'))))
  out.map(found.length)
  for (const [name, value] of found) {
    out.bulkText(name)
    out.bulkText(value)
  }
}

function configSet({ node }: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count % 2 === 1) {
    out.error(syntaxError)
    return
  }
  const pairs: [string, string][] = []
  for (let i = 2; i < args.count; i += 2) pairs.push([args.text(i), args.text(i + 1)])
  const refusal = node.config.change(pairs)
  if (refusal === undefined) out.ok()
  else out.error(`ERR ${refusal}`)
}

function configResetstat({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  node.counters.reset()
  node.statistics.reset()
  node.errorCounts.clear()
  out.ok()
}

function slowlogGet({ node }: Session, args: CommandArguments, out: ReplyWriter): void {
  let count = 10
  if (args.count === 3) {
    count = readInteger(args.bytes, args.start(2), args.end(2))
    if (!(count >= -1)) {
      out.error('ERR count should be greater than or equal to -1')
      return
    }
  } else if (args.count > 3) {
    out.error(`ERR unknown subcommand or wrong number of arguments for '${args.shown(1, 128)}'. Try SLOWLOG HELP.`)
    return
  }
  const { entries } = node.slowLog
  const shown = count === -1 ? entries : entries.slice(0, count)
  out.array(shown.length)
  for (const entry of shown) {
    out.array(6)
    out.integer(entry.id)
    out.integer(entry.timeSeconds)
    out.integer(entry.microseconds)
    out.array(entry.args.length)
    for (const text of entry.args) out.bulkText(text)
    out.bulkText(entry.address)
    out.bulkText(entry.name)
  }
}

function latencyHistory({ node }: Session, args: CommandArguments, out: ReplyWriter): void {
  const samples = node.latency.events.get(args.text(2))?.samples ?? []
  out.array(samples.length)
  for (const { timeSeconds, milliseconds } of samples) {
    out.array(2)
    out.integer(timeSeconds)
    out.integer(milliseconds)
  }
}

function latencyLatest({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  const { events } = node.latency
  out.array(events.size)
  for (const [name, { samples, maxMs }] of events) {
    const { timeSeconds, milliseconds } = samples.at(-1)!
    out.array(4)
    out.bulkText(name)
    out.integer(timeSeconds)
    out.integer(milliseconds)
    out.integer(maxMs)
  }
}

function latencyReset({ node }: Session, args: CommandArguments, out: ReplyWriter): void {
  const { events } = node.latency
  const asked: string[] = []
  for (let i = 2; i < args.count; i++) asked.push(args.text(i).toLowerCase())
  const names = [...events.keys()].filter((name) => asked.length === 0 || asked.includes(name))
  for (const name of names) events.delete(name)
  out.integer(names.length)
}

function latencyHistogram(session: Session, args: CommandArguments, out: ReplyWriter): void {
  const { commands, statistics } = session.node
  const asked = new Set<Command>()
  if (args.count === 2) for (const command of commands.numbered) asked.add(command)
  for (let i = 2; i < args.count; i++) {
    const command = namedCommand(session, args.text(i))
    if (command === undefined) continue
    asked.add(command)
    for (const child of command.children?.all ?? []) asked.add(child)
  }
  const found = [...asked].filter(({ number }) => statistics.calls[number]! > 0)
  out.map(found.length)
  for (const { fullName, number } of found) {
    out.bulkText(fullName)
    out.map(2)
    out.bulkText('calls')
    out.integer(statistics.calls[number]!)
    out.bulkText('histogram_usec')
    const buckets = statistics.histogram(number)
    out.map(buckets.length)
    for (const [bound, calls] of buckets) {
      out.integer(bound)
      out.integer(calls)
    }
  }
}

function latencyDoctor({ node }: Session, _: CommandArguments, out: ReplyWriter): void {
  const { events, threshold } = node.latency
  if (threshold === 0) {
    out.verbatim(
      'Latency monitoring is off: CONFIG SET latency-monitor-threshold <milliseconds> records spikes from then on.\n',
    )
    return
  }
  const lines = [...events].map(
    ([name, { samples, maxMs }]) =>
      `${name}: ${samples.length} spikes of ${threshold} ms or more, the worst ${maxMs} ms.\n`,
  )
  out.verbatim(lines.length === 0 ? `No spike of ${threshold} ms or more was recorded.\n` : lines.join(''))
}

function functionFlush(_: Session, args: CommandArguments, out: ReplyWriter): void {
  if (args.count > 3) {
    out.error(`ERR unknown subcommand or wrong number of arguments for '${args.shown(1, 128)}'. Try FUNCTION HELP.`)
  } else if (args.count === 3 && !args.is(2, 'sync') && !args.is(2, 'async')) {
    out.error('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
  } else {
    out.ok()
  }
}

const slowlogHelp = [
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
]

const readable = 'loading stale'
const admin = 'admin loading stale'
const adminNoScript = 'admin noscript loading stale'
const anyOrder = 'nondeterministic_output_order'
const allNodes = 'request_policy:all_nodes'

const help = (parent: string, since: string, lines: readonly string[]): CommandSpec => ({
  name: 'help',
  arity: 2,
  flags: readable,
  since,
  complexity: 'O(1)',
  summary: 'Show the subcommands',
  run: (_session, _args, out) => helpReply(out, parent, lines),
})

const commandSubcommands: readonly CommandSpec[] = [
  {
    name: 'count',
    arity: 2,
    flags: readable,
    since: '2.8.13',
    complexity: 'O(1)',
    summary: 'Count the commands',
    run: ({ node }, _args, out) => out.integer(node.commands.all.length),
  },
  {
    name: 'info',
    arity: -2,
    flags: readable,
    tips: anyOrder,
    since: '2.8.13',
    complexity: 'O(N) where N is the number of commands.',
    summary: 'Arity, flags and keys of commands',
    run: commandInfo,
  },
  {
    name: 'docs',
    arity: -2,
    flags: readable,
    tips: anyOrder,
    since: '7.0.0',
    complexity: 'O(N) where N is the number of commands.',
    summary: 'What commands are for',
    run: commandDocs,
  },
  {
    name: 'list',
    arity: -2,
    flags: readable,
    tips: anyOrder,
    since: '7.0.0',
    complexity: 'O(N) where N is the number of commands.',
    summary: 'Names of the commands',
    run: commandList,
  },
  {
    name: 'getkeys',
    arity: -4,
    flags: readable,
    since: '2.8.13',
    complexity: 'O(N) where N is the number of arguments.',
    summary: 'Find the keys in a command',
    run: commandGetkeys,
  },
  help('command', '5.0.0', [
    '(no subcommand)',
    '    Return details about all commands.',
    'COUNT',
    '    Return the total number of commands in this server.',
    'LIST [FILTERBY (ACLCAT|PATTERN|MODULE) <value>]',
    '    Return a list of all commands in this server.',
    'INFO [<command-name> ...]',
    '    Return details about multiple commands.',
    'DOCS [<command-name> ...]',
    '    Return documentation details about multiple commands.',
    'GETKEYS <full-command>',
    '    Return the keys from a full command.',
  ]),
]

const configSubcommands: readonly CommandSpec[] = [
  {
    name: 'get',
    arity: -3,
    flags: adminNoScript,
    since: '2.0.0',
    complexity: 'O(N) where N is the number of patterns.',
    summary: 'Read parameters',
    run: configGet,
  },
  {
    name: 'set',
    arity: -4,
    flags: adminNoScript,
    tips: 'request_policy:all_nodes response_policy:all_succeeded',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of parameters.',
    summary: 'Change parameters until the next start',
    run: configSet,
  },
  {
    name: 'resetstat',
    arity: 2,
    flags: adminNoScript,
    since: '2.0.0',
    complexity: 'O(1)',
    summary: 'Set the figures of INFO to zero',
    run: configResetstat,
  },
  help('config', '5.0.0', [
    'GET <pattern> [<pattern> ...]',
    '    Return parameters matching the glob-like <pattern> and their values.',
    'SET <directive> <value> [<directive> <value> ...]',
    '    Set the configuration <directive> to <value>, until the next start.',
    'RESETSTAT',
    '    Reset statistics reported by the INFO command.',
  ]),
]

const slowlogSubcommands: readonly CommandSpec[] = [
  {
    name: 'get',
    arity: -2,
    flags: admin,
    tips: `${allNodes} nondeterministic_output`,
    since: '2.2.12',
    complexity: 'O(N) where N is the number of entries.',
    summary: 'Read the slow log',
    run: slowlogGet,
  },
  {
    name: 'len',
    arity: 2,
    flags: admin,
    tips: `${allNodes} response_policy:agg_sum nondeterministic_output`,
    since: '2.2.12',
    complexity: 'O(1)',
    summary: 'Count the entries of the slow log',
    run: ({ node }, _args, out) => out.integer(node.slowLog.entries.length),
  },
  {
    name: 'reset',
    arity: 2,
    flags: admin,
    tips: `${allNodes} response_policy:all_succeeded`,
    since: '2.2.12',
    complexity: 'O(1)',
    summary: 'Empty the slow log',
    run: ({ node }, _args, out) => {
      node.slowLog.entries = []
      out.ok()
    },
  },
  help('slowlog', '6.2.0', slowlogHelp),
]

const perNode = 'nondeterministic_output request_policy:all_nodes response_policy:special'

const latencySubcommands: readonly CommandSpec[] = [
  {
    name: 'latest',
    arity: 2,
    flags: adminNoScript,
    tips: perNode,
    since: '2.8.13',
    complexity: 'O(1)',
    summary: 'The latest spike of each kind',
    run: latencyLatest,
  },
  {
    name: 'history',
    arity: 3,
    flags: adminNoScript,
    tips: perNode,
    since: '2.8.13',
    complexity: 'O(1)',
    summary: 'The spikes of one kind',
    run: latencyHistory,
  },
  {
    name: 'histogram',
    arity: -2,
    flags: adminNoScript,
    tips: perNode,
    since: '7.0.0',
    complexity: 'O(N) where N is the number of commands.',
    summary: 'How long commands take',
    run: latencyHistogram,
  },
  {
    name: 'doctor',
    arity: 2,
    flags: adminNoScript,
    tips: perNode,
    since: '2.8.13',
    complexity: 'O(1)',
    summary: 'A report on the spikes',
    run: latencyDoctor,
  },
  {
    name: 'reset',
    arity: -2,
    flags: adminNoScript,
    tips: `${allNodes} response_policy:all_succeeded`,
    since: '2.8.13',
    complexity: 'O(1)',
    summary: 'Forget spikes',
    run: latencyReset,
  },
  help('latency', '2.8.13', [
    'DOCTOR',
    '    Return a human readable latency analysis report.',
    'HISTORY <event>',
    '    Return time-latency samples for the <event> class.',
    'LATEST',
    '    Return the latest latency samples for all events.',
    'RESET [<event> ...]',
    '    Reset latency data of one or more <event> classes.',
    '    (default: reset all data for all event classes)',
    'HISTOGRAM [COMMAND ...]',
    '    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.',
    '    If no commands are specified then all histograms are replied.',
  ]),
]

export const serverCommands: readonly CommandSpec[] = [
  {
    name: 'command',
    arity: -1,
    flags: readable,
    categories: '@connection',
    tips: anyOrder,
    since: '2.8.13',
    complexity: 'O(N) where N is the number of commands.',
    summary: 'Details of all commands',
    run: allInfo,
    subcommands: commandSubcommands,
  },
  {
    name: 'config',
    arity: -2,
    since: '2.0.0',
    complexity: 'Depends on subcommand.',
    summary: 'Parameters of the server',
    subcommands: configSubcommands,
  },
  {
    name: 'info',
    arity: -1,
    flags: readable,
    categories: '@dangerous',
    tips: 'nondeterministic_output request_policy:all_shards response_policy:special',
    since: '1.0.0',
    complexity: 'O(1)',
    summary: 'Figures of the server',
    run: info,
  },
  {
    name: 'time',
    arity: 1,
    flags: 'loading stale fast',
    tips: 'nondeterministic_output',
    since: '2.6.0',
    complexity: 'O(1)',
    summary: 'The time of the server: seconds and microseconds',
    run: time,
  },
  {
    name: 'slowlog',
    arity: -2,
    since: '2.2.12',
    complexity: 'Depends on subcommand.',
    summary: 'Commands that took long',
    subcommands: slowlogSubcommands,
  },
  {
    name: 'latency',
    arity: -2,
    since: '2.8.13',
    complexity: 'Depends on subcommand.',
    summary: 'Spikes of latency',
    subcommands: latencySubcommands,
  },
  {
    name: 'function',
    arity: -2,
    categories: '@scripting',
    since: '7.0.0',
    complexity: 'Depends on subcommand.',
    summary: 'There are no functions here',
    subcommands: [
      {
        name: 'flush',
        arity: -2,
        flags: 'write noscript',
        tips: 'request_policy:all_shards response_policy:all_succeeded',
        since: '7.0.0',
        complexity: 'O(1)',
        summary: 'Delete all functions: there are none',
        run: functionFlush,
      },
      help('function', '7.0.0', ['FLUSH [ASYNC|SYNC]', '    Delete all functions: there are none.']),
    ],
  },
]
