import type { Storage } from '../io/storage.js'
import type { ManifestLog } from '../lsm/manifest/manifest-log.js'
import type { ManifestEdit } from '../lsm/manifest/manifest-state.js'

/** Removed files beyond this are waited for, so that a caller that never yields cannot pile them up. */
const obsoleteMax = 32

/** The set of live files: the manifest on disk, and the removal of what it no longer lists. */
export class LiveFiles {
  readonly #storage: Storage
  readonly #manifest: ManifestLog
  readonly #onFailure: (error: unknown) => void
  /** To remove once the manifest that no longer lists them is on disk. */
  #obsolete: string[] = []
  #syncing: Promise<void> | undefined
  #holds = 0

  constructor(storage: Storage, manifest: ManifestLog, onFailure: (error: unknown) => void) {
    this.#storage = storage
    this.#manifest = manifest
    this.#onFailure = onFailure
  }

  get manifest(): ManifestLog {
    return this.#manifest
  }

  /** One atomic change, and the files that go with it. New files must be durable already. If it throws, nothing has changed. */
  apply(edit: ManifestEdit, obsolete: readonly string[] = []): void {
    this.#manifest.append(edit)
    this.#obsolete.push(...obsolete)
    this.#removeObsolete()
  }

  /** Until what is returned is called, no file is removed: for a job that opens files by name. */
  hold(): () => void {
    this.#holds++
    return () => {
      this.#holds--
      this.#removeObsolete()
    }
  }

  #removeObsolete(): void {
    if (this.#holds > 0) return
    if (this.#obsolete.length > obsoleteMax) {
      try {
        this.#manifest.sync()
        for (const file of this.#obsolete.splice(0)) this.#storage.remove(file)
      } catch (error) {
        this.#onFailure(error)
      }
    } else if (this.#obsolete.length > 0) this.#syncing ??= this.#syncAndRemove()
  }

  sync(): Promise<void> {
    return this.#manifest.syncLater()
  }

  /** Everything that `apply` did is durable, and dropped files are gone, when it resolves. */
  async settle(): Promise<void> {
    await this.#syncing
    await this.#manifest.syncLater()
    await this.#syncing
  }

  async #syncAndRemove(): Promise<void> {
    try {
      while (this.#obsolete.length > 0 && this.#holds === 0) {
        const files = this.#obsolete.splice(0)
        await this.#manifest.syncLater()
        for (const file of files) await this.#storage.removeLater(file)
      }
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#syncing = undefined
    }
  }
}
