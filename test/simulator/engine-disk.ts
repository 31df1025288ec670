import { EngineReplicaStore, type ReplicaStore } from '@caskade/cluster'
import type { Store } from '@caskade/engine'
import { openInline, PowerCutStorage } from '@caskade/engine/testing'
import type { SeededRandom } from '../seeded-random.js'
import type { After, Disk } from './disk.js'
import { randomStream } from './random-stream.js'
import type { MakeDisk } from './world.js'

/** So small that flushes and compactions are part of every run. */
const engineOptions = { durability: 'sync', cacheBytes: 64 << 10 } as const

/** What a disk needs of the world. */
export interface EngineDiskOptions {
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
 * The engine itself under a node: an LSM store on files in memory that lose what was not synced. Its jobs and syncs end at later
 * happenings, and every promise is settled before the next: the same seed gives the same run. What a dead process had begun
 * goes on nowhere.
 */
export class EngineDisk implements Disk {
  slownessMs = 0
  /** The storage has no bound: `disk-full` is not drawn at this fidelity. */
  full = false
  readonly #options: EngineDiskOptions
  #storage: PowerCutStorage
  #engine: Store | undefined
  #store: EngineReplicaStore | undefined
  #closing: Promise<void> = Promise.resolve()
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
  }

  read(partition: number, key: Uint8Array): Uint8Array | undefined {
    if (this.#store === undefined) throw new Error('the judge reads when every node is up')
    return this.#store.get(partition, key)
  }

  /** Damage of files is the engine's own suite's: a damaged table keeps a store from opening. Not drawn at this fidelity. */
  rot(): number {
    return 0
  }

  async #open(life: number, ready: (store: ReplicaStore) => void): Promise<void> {
    const { random, onDurable, failed } = this.#options
    await this.#closing
    if (life !== this.#life) return
    const engine = await openInline(
      this.#storage,
      { ...engineOptions, salt: () => random.between(1, 0x7fff_ffff) },
      this.#later(() => random.next() * 2),
    )
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
    this.#engine = engine
    this.#store = store
    ready(store)
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

/** The fidelity for hundreds of seeds. */
export const engineDisk: MakeDisk = (world, index, onDurable) =>
  new EngineDisk({
    random: randomStream(world.options.seed, `disk ${index}`),
    syncMs: world.options.syncMs,
    after: (delayMs, happening) => world.after(delayMs, happening),
    settle: () => {
      world.hasPromises = true
    },
    onDurable,
    failed: (error) => world.failures.push(`disk ${index} at ${world.nowMs.toFixed(3)}: ${text(error)}`),
  })

const text = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
