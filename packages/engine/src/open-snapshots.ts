import { CaskadeError } from './errors.js'
import type { Snapshot } from './store.js'

/** The snapshots of one store that are open. `T` is what the store needs to read at such a moment. */
export class OpenSnapshots<T> {
  readonly #open = new Map<Snapshot, T>()
  readonly #onClose: (moment: T) => void

  constructor(onClose: (moment: T) => void = () => {}) {
    this.#onClose = onClose
  }

  open(sequence: number, moment: T): Snapshot {
    const snapshot = new OpenSnapshot(sequence, this, () => {
      this.#open.delete(snapshot)
      this.#onClose(moment)
    })
    this.#open.set(snapshot, moment)
    return snapshot
  }

  /** What reads with the snapshot need; throws when it is closed, or not of this store. */
  momentOf(snapshot: Snapshot): T {
    const moment = this.#open.get(snapshot)
    if (moment !== undefined) return moment
    if (!(snapshot instanceof OpenSnapshot && snapshot.owner === this))
      throw new TypeError('the snapshot is not one of this store: take it with snapshot() of the store that is read')
    throw new CaskadeError('CASKADE_CLOSED', 'this snapshot is closed: take a new one')
  }

  closeAll(): void {
    for (const snapshot of [...this.#open.keys()]) snapshot.close()
  }
}

class OpenSnapshot implements Snapshot {
  readonly sequence: number
  readonly owner: unknown
  #release: (() => void) | undefined

  constructor(sequence: number, owner: unknown, release: () => void) {
    this.sequence = sequence
    this.owner = owner
    this.#release = release
  }

  close(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}
