import type { BorrowedRecord } from '@caskade/engine'
import type { CommandArguments } from './command-arguments.js'
import { readInteger } from './integer-text.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

/** Texts that several commands answer; Redis 7's. */
export const syntaxError = 'ERR syntax error'
export const notInteger = 'ERR value is not an integer or out of range'
export const stringTooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'

export const wrongArity = (fullName: string) => `ERR wrong number of arguments for '${fullName}' command`

/** The record under the key that is argument `index`, borrowed; counted as a hit or a miss. */
export function lookup(session: Session, args: CommandArguments, index: number): BorrowedRecord | undefined {
  const { store, counters } = session.node
  const record = store.borrow(args.bytes, args.start(index), args.end(index))
  if (record === undefined) counters.keyspaceMisses++
  else counters.keyspaceHits++
  return record
}

/** An owned copy of a borrowed value. */
export function ownValue(record: BorrowedRecord): Uint8Array {
  // Not `record.bytes.slice`: on a Buffer that is a view.
  return Uint8Array.prototype.slice.call(record.bytes, record.valueStart, record.valueEnd)
}

/** Argument `index` as a 64-bit integer (as `readInteger`), or NaN after `message` was replied. */
export function integerArgument(args: CommandArguments, index: number, out: ReplyWriter, message = notInteger): number {
  const value = readInteger(args.bytes, args.start(index), args.end(index))
  if (Number.isNaN(value)) out.error(message)
  return value
}

/** As `integerArgument` for values Redis keeps in an `int`. */
export function int32Argument(args: CommandArguments, index: number, out: ReplyWriter): number {
  const value = integerArgument(args, index, out)
  if (value >= -(2 ** 31) && value < 2 ** 31) return value
  if (!Number.isNaN(value)) out.error('ERR value is out of range, value must between -2147483648 and 2147483647')
  return Number.NaN
}

/** The reply of `NAME HELP`: one simple string a line. */
export function helpReply(out: ReplyWriter, name: string, lines: readonly string[]): void {
  const all = [
    `${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    ...lines,
    'HELP',
    '    Prints this help.',
  ]
  out.array(all.length)
  for (const line of all) out.simple(line)
}
