import type { Store } from '@caskade/engine'
import { CommandArguments } from './command-arguments.js'
import type { Parsed, RespParser } from './resp-parser.js'

/** Commands that are parsed before the first of them runs. */
const batchMax = 32

/**
 * The next few pipelined commands, parsed ahead: the lines of memory that their keys' lookups need are asked for all at
 * once, so that the misses overlap, and then the commands run one by one. Shared by all connections: it is empty between
 * turns. A connection that must stop in the middle rewinds the parser to `ends[i]`.
 */
export class CommandBatch {
  count = 0
  readonly args: CommandArguments[] = Array.from({ length: batchMax }, () => new CommandArguments())
  /** Where the frame behind each command begins. */
  readonly ends = new Int32Array(batchMax)
  /** Where each command's key starts and ends. */
  readonly #keys = new Int32Array(2 * batchMax)

  /** As the parser says of what follows the batch; `command`: more of them may. */
  fill(parser: RespParser, bytes: Buffer, end: number): Parsed {
    // A stranger's next command may be parsed by other rules.
    const most = parser.stranger ? 1 : batchMax
    this.count = 0
    while (this.count < most) {
      const parsed = parser.next(bytes, end)
      if (parsed !== 'command') return parsed
      const spare = this.args[this.count]!
      this.args[this.count] = parser.args
      this.ends[this.count] = parser.position
      parser.args = spare
      this.count++
    }
    return 'command'
  }

  /** Most commands have one key, as their first argument; asking for what is none does no harm. */
  prefetch(store: Store): void {
    if (this.count === 1) return
    const { bytes } = this.args[0]!
    let keys = 0
    for (let i = 0; i < this.count; i++) {
      const args = this.args[i]!
      // An inline command has bytes of its own.
      if (args.count < 2 || args.bytes !== bytes) continue
      this.#keys[2 * keys] = args.start(1)
      this.#keys[2 * keys + 1] = args.end(1)
      keys++
    }
    store.prefetch(bytes, this.#keys, keys)
  }
}
