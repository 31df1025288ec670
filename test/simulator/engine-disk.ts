import { EngineReplicaStore, type ReplicaStore, replicaEngineOptions } from '@caskade/cluster'
import type { Store, StoreKind } from '@caskade/engine'
import { openInline, openInlineBitcask, PowerCutStorage, storeDirectory, tableDataEnd } from '@caskade/engine/testing'
import type { SeededRandom } from '../seeded-random.js'
import type { After, Disk } from './disk.js'
import { randomStream } from './random-stream.js'
import type { MakeDisk } from './world.js'

/** So small that flushes and compactions are part of every run. (Files of Bitcask are of 16 KiB, too.) */
const lsmOptions = {
  durability: 'sync',
  cacheBytes: 64 << 10,
  tables: { blockBytes: 256, bloomBitsPerKey: 10, compression: 'lz4' },
  ...replicaEngineOptions,
} as const
const bitcaskOptions = { durability: 'sync' } as const
/** A node's metadata, and what the store keeps for itself, have keys from here on. */
const metaFrom = Uint8Array.of(0xff, 0xfe)

interface Flip {
  readonly path: string
  readonly at: number
  readonly bit: number
}

/** What a disk needs of the world. */
export interface EngineDiskOptions {
  readonly kind: StoreKind
  readonly random: SeededRandom
  readonly syncMs: readonly [min: number, max: number]
  /** Promises that the happening settles run before the next one. */
  readonly after: After
  /** So does what was begun within this happening. */
  readonly settle: () => void
  readonly onDurable: () => void
  /** The engine did what it never may. */
  readonly failed: (error: unknown) => void
}

/**
 * The engine itself under a node: an LSM or a Bitcask store on files in memory that lose what was not synced. Its jobs and syncs end at later
 * happenings, and every promise is settled before the next: the same seed gives the same run. What a dead process had begun
 * goes on nowhere.
 */
export class EngineDisk implements Disk {
  slownessMs = 0
  /** What is mapped has been checked once, and is not again. */
  readonly rotsWhenOff = true
  /** The storage has no bound: `disk-full` is not drawn at this fidelity. */
  full = false
  readonly #options: EngineDiskOptions
  #storage: PowerCutStorage
  #engine: Store | undefined
  #store: EngineReplicaStore | undefined
  #closing: Promise<void> = Promise.resolve()
  /** A store was opened on it. */
  #hasStore = false
  /** Since the last open. */
  #flips: Flip[] = []
  /** Counts openings: one that was overtaken by a crash opens nothing. */
  #life = 0
  /** Counts crashes: what was under way in the machine then never ends. */
  #crashes = 0

  constructor(options: EngineDiskOptions) {
    this.#options = options
    this.#storage = this.#emptyStorage()
  }

  open(ready: (store: ReplicaStore) => void): void {
    const life = ++this.#life
    this.#options.settle()
    this.#open(life, ready).catch((error: unknown) => {
      if (life === this.#life) this.#options.failed(error)
    })
  }

  work(): void {
    this.#options.settle()
  }

  crash(): void {
    const { random } = this.#options
    this.#life++
    this.#crashes++
    this.#closing = Promise.resolve()
    this.#storage = this.#withSyncs(this.#storage.crashClone(random.pick([0, 0.5, 1]), random.between(1, 0x7fff_ffff)))
    this.#engine = undefined
    this.#store = undefined
  }

  close(): void {
    const [engine, store] = [this.#engine, this.#store]
    this.#engine = undefined
    this.#store = undefined
    // Stopped while it was opening: as good as killed.
    if (engine === undefined || store === undefined) {
      this.crash()
      return
    }
    this.#options.settle()
    store.markClosed()
    this.#closing = engine
      .sync()
      .then(() => engine.close())
      .catch(this.#options.failed)
  }

  replace(): void {
    this.crash()
    this.#storage = this.#emptyStorage()
    this.#flips = []
    this.#hasStore = false
  }

  read(partition: number, key: Uint8Array): Uint8Array | undefined {
    if (this.#store === undefined) throw new Error('the judge reads when every node is up')
    return this.#store.get(partition, key)
  }

  /**
   * Flips bits in data blocks of tables: nothing in a Bitcask store, which has none. The next open takes back what hit a node's metadata, or keeps the store from opening: such a node is a new member
   * with an empty disk, which is another fault.
   */
  rot(places: number): void {
    const { random } = this.#options
    if (!this.#hasStore) return
    const tables = this.#storage.list(storeDirectory).filter((name) => name.endsWith('.sst'))
    for (let i = places; i > 0 && tables.length > 0; i--) {
      const path = `${storeDirectory}/${random.pick(tables)}`
      const end = tableDataEnd(this.#storage.contentOf(path))
      if (end === 0) continue
      const flip: Flip = { path, at: random.between(0, end), bit: 1 << random.between(0, 8) }
      this.#flips.push(flip)
      this.#flip(flip)
    }
  }

  #flip({ path, at, bit }: Flip): void {
    if (this.#storage.size(path) === undefined) return
    const content = this.#storage.contentOf(path).slice()
    content[at]! ^= bit
    // On disk: another power cut does not take it back.
    this.#storage.place(path, content)
  }

  async #open(life: number, ready: (store: ReplicaStore) => void): Promise<void> {
    const { onDurable, failed } = this.#options
    await this.#closing
    if (life !== this.#life) return
    const engine = await this.#openEngine()
    if (life !== this.#life) return
    const store = new EngineReplicaStore(engine, {
      onDurable: () => {
        if (life === this.#life) onDurable()
      },
      onSyncFailed: failed,
    })
    // The mark of a clean stop is gone for good before the node says anything.
    await engine.sync()
    if (life !== this.#life) return
    this.#hasStore = true
    this.#engine = engine
    this.#store = store
    ready(store)
  }

  async #openEngine(): Promise<Store> {
    const { random, kind } = this.#options
    const storage = this.#storage
    const salt = () => random.between(1, 0x7fff_ffff)
    const later = this.#later(() => random.next() * 2)
    const open = (): Promise<Store> =>
      kind === 'lsm'
        ? openInline(storage, { ...lsmOptions, salt }, later)
        : openInlineBitcask(storage, { ...bitcaskOptions, salt }, later)
    for (; this.#flips.length > 0; this.#flip(this.#flips.pop()!)) {
      const engine = await open().catch(() => undefined)
      // The machine has died meanwhile: what it was opening, nobody uses, and the next open judges the damage.
      if (storage !== this.#storage) return engine ?? open()
      if (engine !== undefined && canRead(engine, metaFrom)) {
        this.#flips = []
        return engine
      }
      await engine?.close()
      if (storage !== this.#storage) break
    }
    return open()
  }

  #emptyStorage(): PowerCutStorage {
    return this.#withSyncs(new PowerCutStorage({ mapped: this.#options.random.chance(0.5) }))
  }

  #withSyncs(storage: PowerCutStorage): PowerCutStorage {
    const { random, syncMs } = this.#options
    const [min, max] = syncMs
    storage.later = this.#later(() => min + random.next() * (max - min + this.slownessMs))
    return storage
  }

  #later(delayMs: () => number): (run: () => void) => void {
    const crashes = this.#crashes
    const { after, settle } = this.#options
    return (run) =>
      after(delayMs(), () => {
        if (crashes !== this.#crashes) return
        settle()
        run()
      })
  }
}

/** The fidelity for hundreds of seeds: stores of one kind, or of one drawn for each node. */
export const engineDisks =
  (kind: StoreKind | undefined): MakeDisk =>
  (world, index, onDurable) =>
    new EngineDisk({
      kind: kind ?? (randomStream(world.options.seed, `store ${index}`).chance(0.5) ? 'lsm' : 'bitcask'),
      random: randomStream(world.options.seed, `disk ${index}`),
      syncMs: world.options.syncMs,
      after: (delayMs, happening) => world.after(delayMs, happening),
      settle: () => {
        world.hasPromises = true
      },
      onDurable,
      failed: (error) => world.failures.push(`disk ${index} at ${world.nowMs.toFixed(3)}: ${text(error)}`),
    })

function canRead(engine: Store, gte: Uint8Array): boolean {
  try {
    for (const _ of engine.scan({ gte }));
    return true
  } catch {
    return false
  }
}

const text = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
