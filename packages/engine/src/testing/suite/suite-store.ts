import type { Entry, Store, StoreStats } from '../../store.js'

/** A place that keeps a store between opens; its memtables should be small (64 KiB), so that the suite flushes and compacts. */
export interface StorePlace {
  /** What was written survives `close`. */
  readonly persistent: boolean
  open(options: { clock: () => number }): Promise<Store>
  /** Removes it. */
  dispose(): void
}

/** The store of the test that runs, its place and its clock. */
export class SuiteStore {
  readonly #makePlace: () => StorePlace
  #place: StorePlace | undefined
  #store: Store | undefined
  now = 0

  constructor(makePlace: () => StorePlace) {
    this.#makePlace = makePlace
  }

  get place(): StorePlace {
    return this.#place!
  }

  get store(): Store {
    return this.#store!
  }

  async begin(): Promise<void> {
    this.now = 1_000_000
    this.#place = this.#makePlace()
    await this.open()
  }

  async end(): Promise<void> {
    await this.store.close()
    this.place.dispose()
  }

  async open(): Promise<void> {
    this.#store = await this.place.open({ clock: () => this.now })
  }

  readonly reopen = async (): Promise<void> => {
    await this.store.close()
    await this.open()
  }

  readonly get = (key: string) => text(this.store.getSync(bytes(key)))
  readonly put = (key: string, value: string) => this.store.putSync(bytes(key), bytes(value))
  readonly remove = (key: string) => this.store.deleteSync(bytes(key))
}

export const bytes = (text: string) => new Uint8Array(Buffer.from(text))
export const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()
export const numbered = (i: number) => bytes(`key ${String(i).padStart(6, '0')}`)
/** Without the log that is kept for `changes`, which grows with what is written, not with what is there. */
export const dataBytes = ({ diskBytes, details }: StoreStats) =>
  diskBytes - (details['lsm.kept.bytes'] ?? details['bitcask.keptDeadBytes'] ?? 0)
export const texts = (entries: Iterable<Entry>) => [...entries].map(({ key, value }) => `${text(key)}=${text(value)}`)
export const keysOf = (entries: Iterable<Entry>) => [...entries].map(({ key }) => text(key))

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
