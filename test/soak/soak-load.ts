import type { Snapshot, Store } from '@caskade/engine'
import { SeededRandom } from '../seeded-random.js'

const valueBytesMax = 2000
/** What the snapshot being held is compared with: the state of these many keys when it was taken. */
const heldKeys = 50

interface HeldSnapshot {
  snapshot: Snapshot
  expected: Map<number, number>
}

/**
 * Everything a store can be asked for, at random, over a bounded set of keys; each answer is compared with what was written. A
 * value carries its key's number and a version, so that a wrong or an old one is noticed.
 */
export class SoakLoad {
  readonly #store: Store
  readonly #random: SeededRandom
  /** Version of each key; 0: there is none. */
  readonly #versions: Uint32Array
  readonly #filler = Buffer.alloc(valueBytesMax, 'so many words that say little, ')
  #next = 1
  #held: HeldSnapshot | undefined
  operations = 0

  constructor(store: Store, keys: number, seed: number) {
    this.#store = store
    this.#versions = new Uint32Array(keys)
    this.#random = new SeededRandom(seed)
  }

  /** About a thousand operations; throws at the first wrong answer. */
  async round(): Promise<void> {
    for (let i = 0; i < 1000; i++) {
      this.operations++
      const kind = this.#below(1000)
      if (kind < 450) this.#put(this.#key())
      else if (kind < 800) this.#get(this.#key())
      else if (kind < 880) this.#delete(this.#key())
      else if (kind < 900) this.#batch()
      else if (kind < 910) await this.#many()
      else if (kind < 913) this.#scan()
      else if (kind < 915) await this.#scanAsync()
      else if (kind < 916) this.#deleteRange()
      else if (kind < 917) this.#holdOrCheck()
      const pause = this.#store.backpressure()
      if (pause !== undefined) await pause
    }
  }

  /** Rewrites everything now and then, as an operator would. */
  async maintain(): Promise<void> {
    this.#release()
    await this.#store.flush()
    await this.#store.compactRange()
  }

  end(): void {
    this.#release()
  }

  #below(bound: number): number {
    return this.#random.between(0, bound)
  }

  #key(): number {
    return this.#below(this.#versions.length)
  }

  #name(key: number): Buffer {
    return Buffer.from(`soak/${String(key).padStart(8, '0')}`)
  }

  #value(key: number, version: number): Buffer {
    const head = Buffer.from(`${key}:${version}:`)
    return Buffer.concat([head, this.#filler.subarray(0, (version * 7919) % valueBytesMax)])
  }

  #put(key: number): void {
    const version = this.#next++
    this.#store.putSync(this.#name(key), this.#value(key, version))
    this.#versions[key] = version
  }

  #delete(key: number): void {
    this.#store.deleteSync(this.#name(key))
    this.#versions[key] = 0
  }

  #check(key: number, found: Uint8Array | undefined, version = this.#versions[key]!): void {
    const expected = version === 0 ? undefined : this.#value(key, version)
    const same = expected === undefined ? found === undefined : found !== undefined && expected.equals(found)
    if (same) return
    const shown = found === undefined ? 'nothing' : Buffer.from(found).toString('latin1', 0, 40)
    throw new Error(`key ${key} should be at version ${version} (0: deleted), found: ${shown}`)
  }

  #get(key: number): void {
    this.#check(key, this.#store.getSync(this.#name(key)))
  }

  async #many(): Promise<void> {
    const keys = Array.from({ length: 32 }, () => this.#key())
    const values = await this.#store.getMany(keys.map((key) => this.#name(key)))
    for (const [i, key] of keys.entries()) this.#check(key, values[i])
  }

  #batch(): void {
    this.#store.atomic(() => {
      for (let i = 0; i < 20; i++) {
        const key = this.#key()
        if (this.#random.chance(0.2)) this.#delete(key)
        else this.#put(key)
      }
    })
  }

  /** Breaks out early half the time. */
  #scan(): void {
    const limit = this.#random.chance(0.5) ? 100 : 1000
    for (const { key, value } of this.#store.scan({ gte: this.#name(this.#key()) })) {
      this.#checkScanned(key, value)
      if (this.#below(limit) === 0) break
    }
  }

  async #scanAsync(): Promise<void> {
    for await (const { key, value } of this.#store.scan({ gte: this.#name(this.#key()), limit: 300, reverse: true })) {
      this.#checkScanned(key, value)
      if (this.#below(200) === 0) break
    }
  }

  #checkScanned(key: Uint8Array, value: Uint8Array): void {
    this.#check(Number(Buffer.from(key).toString('latin1', 5)), value)
  }

  #deleteRange(): void {
    const from = this.#key()
    const to = Math.min(this.#versions.length, from + 1 + this.#below(50))
    this.#store.deleteRangeSync({ gte: this.#name(from), lt: this.#name(to) })
    this.#versions.fill(0, from, to)
  }

  /** Takes a snapshot; the next time around compares it with what it must still show, and closes it. */
  #holdOrCheck(): void {
    if (!this.#store.capabilities.snapshots) return
    const held = this.#held
    if (held === undefined) {
      const expected = new Map(
        Array.from({ length: heldKeys }, () => this.#key()).map((key) => [key, this.#versions[key]!]),
      )
      this.#held = { snapshot: this.#store.snapshot(), expected }
      return
    }
    const { snapshot } = held
    for (const [key, version] of held.expected)
      this.#check(key, this.#store.getSync(this.#name(key), { snapshot }), version)
    this.#release()
  }

  #release(): void {
    this.#held?.snapshot.close()
    this.#held = undefined
  }
}
