import type { CommandArguments } from './command-arguments.js'

const argumentsMax = 32
const argumentBytesMax = 128

export interface SlowEntry {
  id: number
  timeSeconds: number
  microseconds: number
  /** latin1, shortened as Redis does. */
  args: string[]
  address: string
  name: string
}

/** The latest commands that took longer than a threshold; newest first. */
export class SlowLog {
  /** Microseconds; negative: off. */
  threshold = 10_000
  entriesMax = 128
  entries: SlowEntry[] = []
  #nextId = 0

  add(args: CommandArguments, hiddenFrom: number, entry: Omit<SlowEntry, 'id' | 'args'>): void {
    const shown = Math.min(args.count, argumentsMax)
    const texts: string[] = []
    for (let i = 0; i < shown; i++) {
      if (i === argumentsMax - 1 && args.count > argumentsMax)
        texts.push(`... (${args.count - shown + 1} more arguments)`)
      else if (i >= hiddenFrom) texts.push('(redacted)')
      else texts.push(shortened(args, i))
    }
    this.entries.unshift({ id: this.#nextId++, args: texts, ...entry })
    this.trim()
  }

  trim(): void {
    if (this.entries.length > this.entriesMax) this.entries.length = this.entriesMax
  }
}

function shortened(args: CommandArguments, index: number): string {
  const length = args.length(index)
  if (length <= argumentBytesMax) return args.text(index)
  const start = args.start(index)
  return `${args.bytes.toString('latin1', start, start + argumentBytesMax)}... (${length - argumentBytesMax} more bytes)`
}
