import { join } from 'node:path'
import { CaskadeError, CorruptionError } from '../../errors.js'
import { readWhole } from '../../io/read-whole.js'
import type { AppendFile, Storage } from '../../io/storage.js'
import {
  currentName,
  decodeCurrent,
  decodeManifest,
  encodeCurrent,
  encodeEdit,
  encodeManifestHeader,
  manifestName,
} from './manifest-format.js'
import { applyEdit, emptyState, type ManifestEdit, type ManifestState, snapshotEdit } from './manifest-state.js'

/** A manifest longer than this, and than some snapshots of the state, is begun anew with a snapshot. */
const manifestBytesMin = 1 << 20

function writeWhole(storage: Storage, path: string, bytes: Uint8Array): void {
  const file = storage.create(path)
  try {
    file.append(bytes)
    file.sync()
  } finally {
    file.close()
  }
}

export interface ManifestRead {
  state: ManifestState
  path: string
  /** Bytes after the last whole edit: torn by a crash, or damaged. */
  tail: { offset: number; bytes: number }
}

/** The state that CURRENT points at; `undefined` in a directory that was never a store. */
export function readManifest(storage: Storage, directory: string): ManifestRead | undefined {
  const current = join(directory, currentName)
  if (storage.size(current) === undefined) {
    const files = storage.list(directory).filter((name) => /\.(sst|log|data)$/.test(name))
    if (files.length === 0) return undefined
    throw new CorruptionError(current, 0, `it is missing, but ${files.length} data files are here (${files[0]}, …)`)
  }
  const path = join(directory, decodeCurrent(readWhole(storage, current), current))
  if (storage.size(path) === undefined) throw new CorruptionError(path, 0, 'CURRENT names it, but it is missing')
  const bytes = readWhole(storage, path)
  const { edits, end } = decodeManifest(bytes, path)
  if (edits.length === 0) throw new CorruptionError(path, end, 'it holds no whole edit')
  const state = emptyState()
  for (const edit of edits) applyEdit(state, edit)
  return { state, path, tail: { offset: end, bytes: bytes.length - end } }
}

/** The manifest in force, and its state in memory. An edit is in effect once appended, and durable after `sync`. */
export class ManifestLog {
  readonly state: ManifestState
  readonly #storage: Storage
  readonly #directory: string
  #file: AppendFile | undefined
  #path = ''
  #bytesMax = manifestBytesMin
  /** Part of an edit may be at the end of the file: nothing may be appended behind it, but what is before it is in force. */
  #torn = false
  /** Edits appended, and how many of them a sync has covered. */
  #appended = 0
  #synced = 0
  /** Why no edit can be made or kept. That of a sync is told once, and stays: a later sync would succeed without what was lost. */
  #failure: unknown

  private constructor(storage: Storage, directory: string, state: ManifestState) {
    this.#storage = storage
    this.#directory = directory
    this.state = state
  }

  /** Begins a new manifest from a state and puts it in force. */
  static begin(storage: Storage, directory: string, state: ManifestState): ManifestLog {
    const log = new ManifestLog(storage, directory, state)
    log.#begin()
    return log
  }

  /** A state that no edit can change: of a store that is opened for reading. */
  static readOnly(storage: Storage, directory: string, state: ManifestState): ManifestLog {
    const log = new ManifestLog(storage, directory, state)
    log.#failure = new CaskadeError('CASKADE_READ_ONLY', `${directory} is open for reading only`)
    return log
  }

  allocateFile(): number {
    return this.state.nextFile++
  }

  get path(): string {
    return this.#path
  }

  /**
   * Call before `allocateFile` for a segment. A manifest begun between that and the edit that lists the segment would say on
   * disk that its number is an old one: after a power cut that took the edit, the segment would pass for a stray.
   */
  beginIfDue(): void {
    this.#checkSound()
    if (this.#file === undefined || this.#torn || this.#file.length > this.#bytesMax) this.#begin()
  }

  /** Throws (a full disk) with nothing changed; the next call then begins a new manifest. */
  append(edit: ManifestEdit): void {
    this.beginIfDue()
    const whole = { ...edit, nextFile: this.state.nextFile }
    const file = this.#file!
    try {
      file.append(encodeEdit(whole, file.length))
    } catch (error) {
      this.#torn = true
      throw error
    }
    applyEdit(this.state, whole)
    this.#appended++
  }

  /** Blocks. An error means that the last edits may be lost: the caller must not go on writing. */
  sync(): void {
    this.#checkSound()
    if (this.#synced === this.#appended) return
    try {
      this.#file?.sync()
    } catch (error) {
      this.#failure = error
      throw error
    }
    this.#synced = this.#appended
  }

  #checkSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async syncLater(): Promise<void> {
    this.#checkSound()
    const file = this.#file
    const appended = this.#appended
    if (this.#synced >= appended) return
    try {
      await file?.syncLater()
      this.#synced = Math.max(this.#synced, appended)
    } catch (error) {
      // A manifest that has been replaced since: its successor was synced whole.
      if (this.#file !== file) return
      this.#failure = error
      throw error
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
  }

  // Crash windows: before the rename the old manifest is in force, which is why its file is removed last.
  #begin(): void {
    const storage = this.#storage
    const old = this.#path
    const name = manifestName(this.allocateFile())
    const path = join(this.#directory, name)
    storage.remove(path)
    const file = storage.create(path)
    try {
      file.append(encodeManifestHeader())
      file.append(encodeEdit(snapshotEdit(this.state), file.length))
      file.sync()
      const temporary = join(this.#directory, `${currentName}.tmp`)
      storage.remove(temporary)
      writeWhole(storage, temporary, encodeCurrent(name))
      storage.syncDirectory(this.#directory)
      storage.rename(temporary, join(this.#directory, currentName))
      storage.syncDirectory(this.#directory)
    } catch (error) {
      file.close()
      throw error
    }
    this.#file?.close()
    this.#file = file
    this.#path = path
    this.#torn = false
    this.#bytesMax = Math.max(manifestBytesMin, 4 * file.length)
    this.#synced = this.#appended
    if (old !== '') storage.remove(old)
  }
}
