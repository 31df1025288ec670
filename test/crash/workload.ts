import { SeededRandom } from '../seeded-random.js'

/** `undefined`: the key is deleted. */
export type Write = readonly [key: string, value: string | undefined]

/** What one client asks for at once. All of its writes happen or none. */
export interface Operation {
  kind: 'set' | 'del' | 'increment' | 'mset' | 'multi'
  writes: readonly Write[]
}

export interface WorkloadOptions {
  seed: number
  /** Distinguishes the keys of one writer: writers never share a key, so that each one's order is the store's. */
  writer: string
  keys: number
  /** Values the counters have before the first operation. */
  counters: ReadonlyMap<string, string>
}

const counterKeys = 50
const poolLength = 1 << 21

// Half random, half repeated text, so that blocks compress as real ones do.
function textPool(): string {
  const random = new SeededRandom(7)
  let text = ''
  while (text.length < poolLength) text += `${random.next().toString(36).slice(2)} and the rest, `
  return text
}
let pool: string | undefined

/** Lengths from nothing to half a megabyte, mostly short. */
function valueLength(random: SeededRandom): number {
  const dice = random.next()
  if (dice < 0.7) return random.between(0, 200)
  if (dice < 0.96) return random.between(200, 3_000)
  if (dice < 0.999) return random.between(3_000, 40_000)
  return random.between(40_000, 500_000)
}

/**
 * An endless sequence of operations, the same for the same options: the one who writes and the one who checks each make
 * their own. Every value names its key and its number in the sequence.
 */
export class Workload {
  readonly options: WorkloadOptions
  readonly #random: SeededRandom
  readonly #counters: Map<string, string>
  #sequence = 0

  constructor(options: WorkloadOptions) {
    this.options = options
    this.#random = new SeededRandom(options.seed)
    this.#counters = new Map(options.counters)
    pool ??= textPool()
  }

  #key(): string {
    return `${this.options.writer}:key:${this.#random.between(0, this.options.keys)}`
  }

  #put(): Write {
    const key = this.#key()
    const start = this.#random.between(0, poolLength / 2)
    const text = pool!.slice(start, start + valueLength(this.#random))
    return [key, `${key} ${this.options.seed}.${this.#sequence} ${text}`]
  }

  #some(count: number, deleteChance: number): Write[] {
    const writes: Write[] = []
    for (let i = 0; i < count; i++)
      writes.push(this.#random.chance(deleteChance) ? [this.#key(), undefined] : this.#put())
    return writes
  }

  next(): Operation {
    this.#sequence++
    const dice = this.#random.next()
    if (dice < 0.55) return { kind: 'set', writes: [this.#put()] }
    if (dice < 0.7) return { kind: 'del', writes: this.#some(this.#random.between(1, 4), 1) }
    if (dice < 0.8) {
      const key = `${this.options.writer}:counter:${this.#random.between(0, counterKeys)}`
      const value = String(Number(this.#counters.get(key) ?? 0) + 1)
      this.#counters.set(key, value)
      return { kind: 'increment', writes: [[key, value]] }
    }
    if (dice < 0.9) return { kind: 'mset', writes: this.#some(this.#random.between(2, 40), 0) }
    return { kind: 'multi', writes: this.#some(this.#random.between(2, 12), 0.3) }
  }
}

/** The counters among the records of a writer. */
export function countersOf(records: ReadonlyMap<string, string>, writer: string): Map<string, string> {
  return new Map([...records].filter(([key]) => key.startsWith(`${writer}:counter:`)))
}
