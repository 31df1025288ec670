import { ModelReplicaStore, type ReplicaStore } from '@caskade/cluster'
import type { SeededRandom } from '../seeded-random.js'

/** The disk of a simulated node: it outlives the lives of the node. Faults are set from outside. */
export interface Disk {
  /** Calls back now or at a later happening, with the store of the node's next life. */
  open(ready: (store: ReplicaStore) => void): void
  /** After each turn of the node: takes up the syncs that were asked for. */
  work(): void
  /** The power goes: what was not synced is lost, or a part of it. */
  crash(): void
  /** An orderly stop. */
  close(): void
  /** A new, empty disk in place of the old one. The machine is off. */
  replace(): void
  /** Time that a sync takes, beside the disk's own. */
  slownessMs: number
  /** No room for anything. */
  full: boolean
  /** What is stored, for the judge. Throws for what is damaged. */
  read(partition: number, key: Uint8Array): Uint8Array | undefined
  /** Damages up to so many records (of some keys), or blocks of any, at random. What the machine has in its memory stays right until that is off. */
  rot(places: number, mayRot?: (key: Uint8Array) => boolean): void
  /** It is to be off when it rots. */
  readonly rotsWhenOff: boolean
}

/** Schedules a happening so many milliseconds from now. */
export type After = (delayMs: number, happening: () => void) => void

/** One sync at a time, after the model store: the fidelity for thousands of seeds. */
export class ModelDisk implements Disk {
  slownessMs = 0
  readonly rotsWhenOff = false
  readonly store = new ModelReplicaStore()
  readonly #random: SeededRandom
  readonly #syncMs: readonly [min: number, max: number]
  readonly #after: After
  readonly #onDurable: () => void
  #syncing = false
  /** Counts openings: a sync of an earlier life ends nowhere. */
  #life = 0

  constructor(random: SeededRandom, syncMs: readonly [min: number, max: number], after: After, onDurable: () => void) {
    this.#random = random
    this.#syncMs = syncMs
    this.#after = after
    this.#onDurable = onDurable
  }

  get full(): boolean {
    return this.store.full
  }

  set full(full: boolean) {
    this.store.full = full
  }

  open(ready: (store: ReplicaStore) => void): void {
    this.#life++
    this.#syncing = false
    this.store.slow = true
    ready(this.store)
  }

  work(): void {
    const { store } = this
    const ticket = store.syncWantedTicket
    if (this.#syncing || ticket <= store.durableTicket) return
    this.#syncing = true
    const life = this.#life
    const [min, max] = this.#syncMs
    this.#after(min + this.#random.next() * (max - min + this.slownessMs), () => {
      if (life !== this.#life) return
      this.#syncing = false
      store.becomeDurable(ticket)
      this.#onDurable()
      this.work()
    })
  }

  crash(): void {
    this.#life++
    const { ticket, durableTicket } = this.store
    // A disk may have got further than it said: somewhere between all and nothing of the rest.
    const extra = this.#random.chance(0.5) ? 0 : this.#random.between(0, ticket - durableTicket + 1)
    const { full } = this
    this.store.crash(durableTicket + extra)
    this.full = full
  }

  close(): void {
    this.#life++
    const { full } = this
    // Without room there is no mark that it ended in good order.
    if (full) this.store.crash(this.store.ticket)
    else this.store.restart()
    this.full = full
  }

  replace(): void {
    this.#life++
    const { full } = this
    this.store.wipe()
    this.full = full
  }

  read(partition: number, key: Uint8Array): Uint8Array | undefined {
    return this.store.get(partition, key)
  }

  rot(places: number, mayRot: (key: Uint8Array) => boolean = () => true): void {
    for (let i = 0; i < places; i++) {
      const partition = this.#random.pick([-1, ...this.store.partitions()])
      const keys = this.#keysOf(partition).filter(mayRot)
      if (keys.length > 0) this.store.rot(partition, this.#random.pick(keys))
    }
  }

  #keysOf(partition: number): Uint8Array[] {
    try {
      return this.store.scan(partition, undefined, 1000).map(({ key }) => key)
    } catch {
      return [] // rotten already
    }
  }
}
