import type { CommandArguments } from './command-arguments.js'
import type { ReplyWriter } from './reply-writer.js'
import type { Session } from './session.js'

/** Writes the reply of a command that took more than one turn of the event loop. */
export type Reply = (out: ReplyWriter) => void

export interface CommandSpec {
  /** Lower case. */
  name: string
  /** Arguments with the name; negative: at least so many. As in Redis, like everything that COMMAND shows. */
  arity: number
  /** Blank-separated: `readonly write denyoom fast noscript loading stale admin no_auth allow_busy skip_slowlog`. */
  flags?: string
  /** First, last (-1: the end) and step of the arguments that are keys. */
  keys?: readonly [first: number, last: number, step: number]
  /** How each key is used: one entry for all, or one per key for commands with a fixed number of them. */
  keyFlags?: readonly string[]
  /** ACL categories other than those that follow from the flags. */
  categories?: string
  tips?: string
  since: string
  complexity: string
  summary: string
  /** Arguments from this one on are secrets: kept out of the slow log. */
  secretFrom?: number
  /** The command at once, to the end; also what EXEC runs. Writes exactly one reply. */
  run?: (session: Session, args: CommandArguments, out: ReplyWriter) => void
  /**
   * Outside of transactions, for work that grows with the data: yields to other clients. `args` is valid until it first awaits.
   * `undefined`: it has replied at once.
   */
  runSliced?: (session: Session, args: CommandArguments, out: ReplyWriter) => Promise<Reply> | undefined
  /** Inside MULTI it runs at once instead of being queued. */
  neverQueued?: boolean
  subcommands?: readonly CommandSpec[]
}

/** A `CommandSpec` in its place in the table. */
export interface Command extends CommandSpec {
  /** Index into the statistics. */
  readonly number: number
  /** `client|list` for a subcommand. */
  readonly fullName: string
  readonly group: string
  readonly flagNames: readonly string[]
  readonly aclCategories: readonly string[]
  readonly isWrite: boolean
  readonly isFast: boolean
  readonly needsAuth: boolean
  readonly firstKey: number
  readonly lastKey: number
  readonly keyStep: number
  readonly children: CommandIndex | undefined
}

/** Commands by name in any case, straight from received bytes: a hash and one comparison, no string. */
export class CommandIndex {
  readonly all: readonly Command[]
  readonly #slots: (Command | undefined)[]
  readonly #lowerCase: Uint8Array

  constructor(commands: readonly Command[], lowerCase: Uint8Array) {
    this.all = commands
    this.#lowerCase = lowerCase
    let size = 16
    while (size < 4 * commands.length) size *= 2
    this.#slots = new Array(size).fill(undefined)
    for (const command of commands) {
      const name = Buffer.from(command.name, 'latin1')
      let slot = this.#hash(name, 0, name.length)
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & (size - 1)
      this.#slots[slot] = command
    }
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i]! | 32)) | 0
    return (hash ^ (hash >>> 9)) & (this.#slots.length - 1)
  }

  find(bytes: Uint8Array, start: number, end: number): Command | undefined {
    const length = end - start
    // Longer than any name: not worth hashing.
    if (length > 32) return undefined
    for (let slot = this.#hash(bytes, start, end); ; slot = (slot + 1) & (this.#slots.length - 1)) {
      const command = this.#slots[slot]
      if (command === undefined) return undefined
      const { name } = command
      if (name.length !== length) continue
      let i = 0
      while (i < length && this.#lowerCase[bytes[start + i]!] === name.charCodeAt(i)) i++
      if (i === length) return command
    }
  }

  findText(name: string): Command | undefined {
    const bytes = Buffer.from(name, 'latin1')
    return this.find(bytes, 0, bytes.length)
  }
}
