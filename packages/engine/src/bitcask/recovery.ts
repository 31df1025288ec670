import { join } from 'node:path'
import { viewOf } from '../bytes.js'
import { CaskadeError, CorruptionError } from '../errors.js'
import { contentOf, readWhole } from '../io/read-whole.js'
import type { ReadFile, SegmentFile, Storage } from '../io/storage.js'
import { refuseUnfinished } from '../lsm/checkpoint-run.js'
import { parseFileName } from '../lsm/file-names.js'
import { ManifestLog, readManifest } from '../lsm/manifest/manifest-log.js'
import {
  type BitcaskFacts,
  emptyState,
  type ManifestState,
  type SegmentRecord,
} from '../lsm/manifest/manifest-state.js'
import { framesStart, readSegmentHeader, readWatermark } from '../lsm/memtable/segment-format.js'
import { bytesInUse, type FrameWalk, walkFrames } from '../lsm/memtable/segment-frames.js'
import type { StoreEvent } from '../store.js'
import { DataFile, type ReadWindow } from './data-file.js'
import { dataPath, hintPath, keydirPath } from './file-names.js'
import type { FileTable } from './file-table.js'
import { buildHint, HintBuilder } from './hint-builder.js'
import { HintReader } from './hint-format.js'
import type { Keydir } from './keydir/keydir.js'
import { KeydirSnapshotReader } from './keydir-snapshot.js'
import type { SnapshotFile, SnapshotHead } from './keydir-snapshot-format.js'
import { type Hinted, loadKeydir } from './load-keydir.js'

export interface Recovered {
  manifest: ManifestLog
  /** Files whose hint is missing, or was damaged. */
  unhinted: DataFile[]
  /** Of the newest record anywhere. */
  sequence: number
}

export interface RecoveryTarget {
  files: FileTable
  keydir: Keydir
  window: ReadWindow
  /** For a new store. */
  secret: () => readonly [number, number]
  /** Change no file. */
  readOnly: boolean
  onEvent: (event: StoreEvent) => void
}

/**
 * Brings a directory back to its last consistent moment; docs/engine/durability.md has the crash-window table.
 *
 * 1. CURRENT names the manifest, whose edits give the data files in force. Each must exist. Those with an end were synced whole.
 * 2. The others are replayed in order, frame by frame, and synced: as the LSM's log, a suffix may be lost but never a hole.
 * 3. The snapshot that the last close wrote fills the keydir, if there is a sound one of exactly these files; else hints do, or where
 *    one is missing or damaged the checked records themselves.
 * 4. A new manifest with the state found, which knows of no snapshot, is put in force; then files that belong to nothing are removed.
 *
 * Crash window of the snapshot: until step 4 is durable nothing is written, after it no open believes it.
 */
export async function recover(storage: Storage, directory: string, target: RecoveryTarget): Promise<Recovered> {
  const { files, keydir, onEvent } = target
  refuseUnfinished(storage, directory)
  const read = readManifest(storage, directory)
  if (read === undefined && target.readOnly)
    throw new CaskadeError('CASKADE_IO', `there is no store in ${directory}: to create one, open it without readOnly`)
  const state = read?.state ?? emptyState()
  if (read !== undefined && state.bitcask === undefined)
    throw new CaskadeError(
      'CASKADE_WRONG_STORE',
      `${directory} holds an lsm store: open it with store 'lsm', or turn it into a bitcask store with "caskade convert"`,
    )
  state.bitcask = { secret: state.bitcask?.secret ?? target.secret() }
  const recovery = new Recovery(storage, directory, target, state, state.bitcask)
  let manifest: ManifestLog | undefined
  try {
    if (read !== undefined) recovery.requireFiles(read)
    const { sequence, unhinted, source } = recovery.fromSnapshot() ?? (await recovery.fromHints())
    delete state.keydir
    state.segments = new Map(
      [...files].map(({ number, salt, end, merged }) => [number, { number, salt, end, ...(merged && { merged }) }]),
    )
    state.nextFile = Math.max(state.nextFile, recovery.highestFile() + 1)
    if (target.readOnly) manifest = ManifestLog.readOnly(storage, directory, state)
    else {
      manifest = ManifestLog.begin(storage, directory, state)
      recovery.removeStrays(manifest)
    }
    if (read !== undefined)
      onEvent({
        level: 'info',
        name: 'recovered',
        details: { files: state.segments.size, keys: keydir.size, sequence, source },
      })
    return { manifest, unhinted, sequence }
  } catch (error) {
    manifest?.close()
    for (const file of [...files]) files.release(file)
    throw error
  }
}

/** What is known when the keydir is filled and the files are open. */
interface Loaded {
  unhinted: DataFile[]
  sequence: number
  source: 'snapshot' | 'hints'
}

class Recovery {
  readonly #storage: Storage
  readonly #directory: string
  readonly #target: RecoveryTarget
  readonly #state: ManifestState
  readonly #facts: BitcaskFacts
  /** Of files that were replayed. */
  readonly #builtHints = new Map<DataFile, Uint8Array>()
  /** Replayed files, on their way to the disk. */
  readonly #syncing: { segment: SegmentFile; done: Promise<void> }[] = []
  /** Mapped, and read in place. */
  readonly #openHints: ReadFile[] = []

  constructor(storage: Storage, directory: string, target: RecoveryTarget, state: ManifestState, facts: BitcaskFacts) {
    this.#storage = storage
    this.#directory = directory
    this.#target = target
    this.#state = state
    this.#facts = facts
  }

  requireFiles({ path, tail }: { path: string; tail: { offset: number; bytes: number } }): void {
    const missing: string[] = []
    for (const { number, end, merged } of this.#state.segments.values()) {
      const file = dataPath(this.#directory, number, merged ?? false)
      const size = this.#storage.size(file)
      if (size === undefined) missing.push(file)
      else if (end !== undefined && size < end)
        throw new CorruptionError(file, size, `it has ${size} bytes, the manifest says ${end}: it was cut, restore it`)
    }
    if (missing.length === 0) return
    // Files are removed only after a sync of the manifest: that edit was durable once.
    if (tail.bytes > 0) throw new CorruptionError(path, tail.offset, 'an edit does not match its checksum')
    throw new CorruptionError(path, tail.offset, `files it lists are missing: ${missing.join(', ')}`)
  }

  /** All there is to know, from the snapshot of the last close; `undefined`: there is none to be believed. */
  fromSnapshot(): Loaded | undefined {
    const head = this.#restoreKeydir()
    if (head === undefined) return undefined
    const { files } = this.#target
    files.reserveThese(new Set(head.files.map(({ index }) => index)))
    this.#openSettled(new Map(head.files.map((file) => [file.number, file])))
    const unhinted = [...files].filter(
      ({ number }) => this.#storage.size(hintPath(this.#directory, number)) === undefined,
    )
    return { sequence: Math.max(this.#state.sequence, head.sequence), unhinted, source: 'snapshot' }
  }

  #restoreKeydir(): SnapshotHead | undefined {
    const listed = this.#state.keydir
    if (listed === undefined || this.#unsettled().length > 0) return undefined
    const path = keydirPath(this.#directory, listed.number)
    try {
      const reader = new KeydirSnapshotReader(this.#storage, path, listed)
      try {
        requireSameFiles(reader.head.files, this.#state, path)
        reader.restore(this.#target.keydir)
        return reader.head
      } finally {
        reader.close()
      }
    } catch (error) {
      if (!(error instanceof CaskadeError)) throw error
      this.#target.onEvent({ level: 'warn', name: 'keydir-unusable', details: { file: path, reason: error.message } })
      return undefined
    }
  }

  async fromHints(): Promise<Loaded> {
    this.#openSettled()
    try {
      this.#replay()
      const { hinted, unhinted } = this.#hints()
      loadKeydir(this.#target.keydir, hinted)
      const sequence = Math.max(this.#state.sequence, ...hinted.map(({ hint }) => hint.summary.largestSequence))
      for (const { done } of this.#syncing) await done
      return { sequence, unhinted, source: 'hints' }
    } finally {
      await Promise.allSettled(this.#syncing.map(({ done }) => done))
      for (const { segment } of this.#syncing) segment.close()
      for (const hint of this.#openHints) hint.close()
    }
  }

  #enter(record: SegmentRecord, salt: number, source: ReadFile, end: number, known?: SnapshotFile): DataFile {
    const { files, window } = this.#target
    const index = known?.index ?? files.reserve()
    const file = new DataFile(
      { number: record.number, index, merged: record.merged ?? false, salt },
      source,
      window,
      end,
    )
    file.settled = true
    if (known !== undefined) {
      const { summary, liveBytes, pinnedBytes, pinnedBy } = known
      Object.assign(file, { summary, liveBytes, pinnedBytes, pinnedBy })
    }
    files.enter(file)
    return file
  }

  /** Files that were synced whole: their records are looked at only where they have no hint, or when they are read. */
  #openSettled(known?: ReadonlyMap<number, SnapshotFile>): void {
    for (const record of this.#state.segments.values()) {
      if (record.end === undefined) continue
      const path = dataPath(this.#directory, record.number, record.merged ?? false)
      const source = this.#storage.open(path)
      try {
        const page = new Uint8Array(framesStart)
        source.read(page, 0, Math.min(framesStart, source.size), 0)
        const header = readSegmentHeader(viewOf(page), page, path, record.number)
        if (header === undefined)
          throw new CorruptionError(path, 0, `it is blank, but records up to ${record.end} were synced`)
        requireSalt(path, header.salt, record)
        this.#enter(record, header.salt, source, record.end, known?.get(record.number))
      } catch (error) {
        source.close()
        throw error
      }
    }
  }

  /** Listed files without an end, and those that were created but not yet listed when the process died. */
  #unsettled(): number[] {
    const numbers = new Set<number>()
    for (const { number, end } of this.#state.segments.values()) if (end === undefined) numbers.add(number)
    for (const name of this.#storage.list(this.#directory)) {
      const file = parseFileName(name)
      if (file?.kind === 'segment' && file.number >= this.#state.nextFile) numbers.add(file.number)
    }
    return [...numbers].sort((a, b) => a - b)
  }

  #replay(): void {
    const { onEvent } = this.#target
    let cutAfter: string | undefined
    for (const number of this.#unsettled()) {
      const path = dataPath(this.#directory, number, false)
      const found = this.#replayFile(path, number, cutAfter)
      if (found === 'blank') {
        // It may have held records: none that were written later may be kept.
        if (this.#state.segments.has(number))
          onEvent({
            level: 'warn',
            name: 'tail-cut',
            details: { file: path, offset: 0, bytes: this.#storage.size(path) },
          })
        cutAfter ??= path
      } else if (found === 'dropped')
        onEvent({ level: 'warn', name: 'segment-dropped', details: { file: path, after: cutAfter } })
      else if (found.lost !== undefined) {
        const { walk, lost } = found
        if (lost > 0)
          onEvent({ level: 'warn', name: 'tail-cut', details: { file: path, offset: walk.end, bytes: lost } })
        cutAfter ??= path
      }
    }
  }

  /** `lost`: bytes behind a tail without a seal. */
  #replayFile(
    path: string,
    number: number,
    cutAfter: string | undefined,
  ): 'blank' | 'dropped' | { walk: FrameWalk; lost: number | undefined } {
    const segment = this.#storage.openSegment(path)
    let syncing = false
    try {
      const { bytes } = segment
      const view = viewOf(bytes)
      const header = readSegmentHeader(view, bytes, path, number)
      if (header === undefined) return 'blank'
      requireSalt(path, header.salt, this.#state.segments.get(number))
      const { syncedEnd } = readWatermark(view, bytes, header.salt)
      const builder = new HintBuilder(this.#facts.secret)
      const source = { bytes, view }
      const walk = walkFrames(source, header.salt, path, segment.capacity, (offset) =>
        builder.add(source, offset, offset),
      )
      if (walk.end < syncedEnd)
        throw new CorruptionError(path, walk.end, `a record that was synced (up to ${syncedEnd}) is damaged`)
      if (cutAfter !== undefined && walk.frames > 0) {
        if (syncedEnd > framesStart)
          throw new CorruptionError(cutAfter, 0, `its end is missing, but ${path} was written and synced after it`)
        return 'dropped'
      }
      const lost = walk.sealed ? undefined : bytesInUse(bytes, walk.end)
      if (walk.frames > 0) {
        // Its end is going to be listed in the manifest as a promise. It may take the disk as long as all the rest.
        if (!this.#target.readOnly) {
          this.#syncing.push({ segment, done: segment.syncLater() })
          syncing = true
        }
        const file = this.#enter({ number, salt: header.salt }, header.salt, this.#storage.open(path), walk.end)
        this.#builtHints.set(file, builder.finish(ownerOf(file)))
      }
      return { walk, lost }
    } finally {
      if (!syncing) segment.close()
    }
  }

  #hints(): { hinted: Hinted[]; unhinted: DataFile[] } {
    const unhinted: DataFile[] = []
    const hinted: Hinted[] = []
    for (const file of this.#target.files) {
      const path = hintPath(this.#directory, file.number)
      const read = this.#builtHints.has(file) ? undefined : this.#readHint(file, path)
      const hint = read ?? new HintReader(this.#builtHints.get(file) ?? this.#hintFromData(file), ownerOf(file), path)
      if (read === undefined) unhinted.push(file)
      file.summary = hint.summary
      hinted.push({ file, hint })
    }
    return { hinted, unhinted }
  }

  #readHint(file: DataFile, path: string): HintReader | undefined {
    try {
      if (this.#storage.size(path) === undefined) throw new CaskadeError('CASKADE_IO', `${path} is missing`)
      return new HintReader(this.#hintBytes(path), ownerOf(file), path)
    } catch (error) {
      if (!(error instanceof CaskadeError) || error.code === 'CASKADE_NEWER_FORMAT') throw error
      this.#target.onEvent({ level: 'warn', name: 'hint-unusable', details: { file: path, reason: error.message } })
      return undefined
    }
  }

  #hintBytes(path: string): Uint8Array {
    const file = this.#storage.open(path)
    if (file.mapping !== undefined) {
      this.#openHints.push(file)
      return file.mapping
    }
    try {
      return contentOf(file)
    } finally {
      file.close()
    }
  }

  #hintFromData(file: DataFile): Uint8Array {
    const bytes = readWhole(this.#storage, file.path)
    return buildHint({ bytes, view: viewOf(bytes) }, ownerOf(file), this.#facts.secret, file.path)
  }

  highestFile(): number {
    return Math.max(0, ...this.#storage.list(this.#directory).map((name) => parseFileName(name)?.number ?? 0))
  }

  removeStrays(manifest: ManifestLog): void {
    const { segments } = manifest.state
    const live = new Set([manifest.path])
    for (const { number, merged } of segments.values()) {
      live.add(dataPath(this.#directory, number, merged ?? false))
      live.add(hintPath(this.#directory, number))
    }
    for (const name of this.#storage.list(this.#directory)) {
      const path = join(this.#directory, name)
      if (parseFileName(name) !== undefined && !live.has(path)) this.#storage.remove(path)
    }
  }
}

/** The number alone is not proof: another store, or an earlier life of this one, has files of the same numbers. */
function requireSalt(path: string, salt: number, listed: SegmentRecord | undefined): void {
  if (listed !== undefined && listed.salt !== salt)
    throw new CorruptionError(path, 12, `it is data file ${listed.number} of another store, or of another time`)
}

const ownerOf = ({ number, salt, end }: DataFile) => ({ number, salt, end })

/** A snapshot of any other set of files knows nothing of this one. */
function requireSameFiles(files: readonly SnapshotFile[], { segments }: ManifestState, path: string): void {
  const same = files.every(({ number, salt, end, merged }) => {
    const listed = segments.get(number)
    return listed?.salt === salt && listed.end === end && (listed.merged ?? false) === merged
  })
  if (!same || files.length !== segments.size)
    throw new CorruptionError(path, 32, 'it is of other data files than the manifest lists')
}
