import type { Command } from './command.js'
import type { ReplyWriter } from './reply-writer.js'

/** One entry of COMMAND and COMMAND INFO, as Redis 7 lays it out. */
export function writeCommandInfo(out: ReplyWriter, command: Command | undefined): void {
  if (command === undefined) {
    out.none()
    return
  }
  out.array(10)
  out.bulkText(command.fullName)
  out.integer(command.arity)
  writeSet(out, command.flagNames)
  out.integer(command.firstKey)
  out.integer(command.lastKey)
  out.integer(command.keyStep)
  writeSet(out, command.aclCategories)
  const tips = command.tips?.split(' ') ?? []
  out.set(tips.length)
  for (const tip of tips) out.bulkText(tip)
  writeKeySpecs(out, command)
  const children = command.children?.all ?? []
  if (children.length === 0) out.set(0)
  else out.array(children.length)
  for (const child of children) writeCommandInfo(out, child)
}

function writeSet(out: ReplyWriter, words: readonly string[]): void {
  out.set(words.length)
  for (const word of words) out.simple(word)
}

function writeKeySpecs(out: ReplyWriter, command: Command): void {
  const specs = command.keyFlags ?? []
  out.set(specs.length)
  for (const [i, flags] of specs.entries()) {
    const single = specs.length > 1
    const index = command.firstKey + (single ? i : 0)
    out.map(3)
    out.bulkText('flags')
    writeSet(out, flags.split(' '))
    out.bulkText('begin_search')
    out.map(2)
    out.bulkText('type')
    out.bulkText('index')
    out.bulkText('spec')
    out.map(1)
    out.bulkText('index')
    out.integer(index)
    out.bulkText('find_keys')
    out.map(2)
    out.bulkText('type')
    out.bulkText('range')
    out.bulkText('spec')
    out.map(3)
    out.bulkText('lastkey')
    out.integer(single ? 0 : command.lastKey < 0 ? command.lastKey : command.lastKey - command.firstKey)
    out.bulkText('keystep')
    out.integer(command.keyStep)
    out.bulkText('limit')
    out.integer(0)
  }
}

/** One value of COMMAND DOCS. */
export function writeCommandDocs(out: ReplyWriter, command: Command): void {
  const children = command.children?.all ?? []
  out.map(children.length === 0 ? 4 : 5)
  for (const [name, text] of [
    ['summary', command.summary],
    ['since', command.since],
    ['group', command.group],
    ['complexity', command.complexity],
  ] as const) {
    out.bulkText(name)
    out.bulkText(text)
  }
  if (children.length === 0) return
  out.bulkText('subcommands')
  out.map(children.length)
  for (const child of children) {
    out.bulkText(child.fullName)
    writeCommandDocs(out, child)
  }
}
