import { join } from 'node:path'
import { viewOf } from '../bytes.js'
import { CaskadeError, CorruptionError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import type { StoreEvent } from '../store.js'
import { refuseUnfinished } from './checkpoint-run.js'
import { parseFileName, segmentPath, tablePath } from './file-names.js'
import { ManifestLog, readManifest } from './manifest/manifest-log.js'
import { emptyState, type ManifestState, type SegmentRecord } from './manifest/manifest-state.js'
import { Memtable, sealBytes } from './memtable/memtable.js'
import { framesStart, readSegmentHeader, readWatermark } from './memtable/segment-format.js'
import { bytesInUse, type FrameWalk } from './memtable/segment-frames.js'

export interface Recovered {
  manifest: ManifestLog
  /** Memtables of the segments found, oldest first, read-only. */
  memtables: Memtable[]
  /** Of the newest record anywhere. */
  sequence: number
}

/**
 * Brings a directory back to its last consistent moment; docs/engine/durability.md has the crash-window table.
 *
 * 1. CURRENT names the manifest, whose edits give the live tables and segments. Each must exist.
 * 2. Segments are replayed in order. One that ends without its seal, followed by one that was written later, has
 *    lost writes in a power cut: what follows is dropped, for a suffix may be lost but never a hole.
 * 3. A new manifest with the state found is put in force; then files that belong to nothing are removed.
 * 4. The last segment is sealed: only now, for what followed its end has to be gone before it counts as whole.
 *
 * `durable`: what is found is synced too, and the manifest promises it. Else it is as durable as it was: a process that died
 * and was started again has written no more than one that lives on.
 */
export function recover(
  storage: Storage,
  directory: string,
  durable: boolean,
  onEvent: (event: StoreEvent) => void,
): Recovered {
  const { state, memtables, sequence, numbers, isNew } = load(storage, directory, durable ? 'sync' : 'write', onEvent)
  state.nextFile = Math.max(
    state.nextFile,
    ...numbers.map((number) => number + 1),
    highestManifest(storage, directory) + 1,
  )
  let manifest: ManifestLog | undefined
  try {
    manifest = ManifestLog.begin(storage, directory, state)
    removeStrays(storage, directory, manifest)
    for (const memtable of memtables) sealOnDisk(storage, memtable)
  } catch (error) {
    manifest?.close()
    for (const memtable of memtables) memtable.release()
    throw error
  }
  if (!isNew) tellRecovered(state, sequence, onEvent)
  return { manifest, memtables, sequence }
}

/** The same moment, in memory alone: no file is changed, and strays stay where they are. */
export function recoverReadOnly(storage: Storage, directory: string, onEvent: (event: StoreEvent) => void): Recovered {
  const { state, memtables, sequence, isNew } = load(storage, directory, 'read', onEvent)
  if (isNew)
    throw new CaskadeError('CASKADE_IO', `there is no store in ${directory}: to create one, open it without readOnly`)
  tellRecovered(state, sequence, onEvent)
  return { manifest: ManifestLog.readOnly(storage, directory, state), memtables, sequence }
}

/** `sync`: to write, and what is found is made durable first. */
type Purpose = 'read' | 'write' | 'sync'

interface Loaded {
  state: ManifestState
  memtables: Memtable[]
  sequence: number
  /** Of every segment looked at, in use or not. */
  numbers: number[]
  isNew: boolean
}

function load(storage: Storage, directory: string, purpose: Purpose, onEvent: (event: StoreEvent) => void): Loaded {
  refuseUnfinished(storage, directory)
  const read = readManifest(storage, directory)
  const state = read?.state ?? emptyState()
  if (state.bitcask !== undefined)
    throw new CaskadeError(
      'CASKADE_WRONG_STORE',
      `${directory} holds a bitcask store: open it with store 'bitcask', or turn it into an lsm store with "caskade convert"`,
    )
  if (read !== undefined) requireFiles(storage, directory, read.state, read)
  for (const { number } of [...state.kept.values()]) {
    const path = segmentPath(directory, number)
    if (storage.size(path) !== undefined) continue
    // No data is lost, only the news of it: changes up to its end are too old from now on.
    state.kept.delete(number)
    onEvent({ level: 'warn', name: 'changes-lost', details: { file: path } })
  }
  const numbers = segmentNumbers(storage, directory, state)
  const memtables = replaySegments(storage, directory, numbers, state, purpose, onEvent)
  const sequences = [...memtables, ...state.tables.values()].map(({ largestSequence }) => largestSequence)
  state.segments = new Map(
    memtables.map(({ fileNumber: number, salt, end, syncedEnd }) => [
      number,
      syncedEnd < end ? { number, salt } : { number, salt, end },
    ]),
  )
  return { state, memtables, sequence: Math.max(state.sequence, ...sequences), numbers, isNew: read === undefined }
}

function tellRecovered(state: ManifestState, sequence: number, onEvent: (event: StoreEvent) => void): void {
  const details = { tables: state.tables.size, segments: state.segments.size, sequence }
  onEvent({ level: 'info', name: 'recovered', details })
}

/**
 * Every listed file is here. If the last edit of the manifest is torn and a file is missing, that edit was durable once,
 * for files are removed only after a sync: then it is damage, not a torn tail.
 */
function requireFiles(
  storage: Storage,
  directory: string,
  state: ManifestState,
  { path, tail }: { path: string; tail: { offset: number; bytes: number } },
): void {
  const missing: string[] = []
  for (const { number, fileBytes } of state.tables.values()) {
    const size = storage.size(tablePath(directory, number))
    if (size === undefined) missing.push(tablePath(directory, number))
    else if (size !== fileBytes)
      throw new CorruptionError(
        tablePath(directory, number),
        size,
        `it has ${size} bytes, the manifest says ${fileBytes}`,
      )
  }
  for (const number of state.segments.keys()) {
    if (storage.size(segmentPath(directory, number)) === undefined) missing.push(segmentPath(directory, number))
  }
  if (missing.length === 0) return
  if (tail.bytes > 0) throw new CorruptionError(path, tail.offset, 'an edit does not match its checksum')
  throw new CorruptionError(path, tail.offset, `files it lists are missing: ${missing.join(', ')}`)
}

/** Listed segments, and those that were created but not yet listed when the process died. */
function segmentNumbers(storage: Storage, directory: string, state: ManifestState): number[] {
  const numbers = new Set(state.segments.keys())
  for (const name of storage.list(directory)) {
    const file = parseFileName(name)
    if (file?.kind === 'segment' && file.number >= state.nextFile) numbers.add(file.number)
  }
  return [...numbers].sort((a, b) => a - b)
}

function replaySegments(
  storage: Storage,
  directory: string,
  numbers: readonly number[],
  state: ManifestState,
  purpose: Purpose,
  onEvent: (event: StoreEvent) => void,
): Memtable[] {
  const memtables: Memtable[] = []
  try {
    let cutAfter: string | undefined
    for (const number of numbers) {
      const path = segmentPath(directory, number)
      const listed = state.segments.get(number)
      const knownEnd = listed?.end
      const found = replaySegment(storage, path, number, listed)
      if (found === undefined) {
        // It may have held records: none that were written later may be kept.
        if (listed !== undefined)
          onEvent({ level: 'warn', name: 'tail-cut', details: { file: path, offset: 0, bytes: storage.size(path) } })
        cutAfter ??= path
        continue
      }
      const { memtable, walk, syncedEnd } = found
      memtables.push(memtable)
      if (cutAfter !== undefined && !memtable.isEmpty) {
        if (syncedEnd > framesStart)
          throw new CorruptionError(cutAfter, 0, `its end is missing, but ${path} was written and synced after it`)
        onEvent({ level: 'warn', name: 'segment-dropped', details: { file: path, after: cutAfter } })
        memtables.pop()?.release()
        continue
      }
      if (!walk.sealed && knownEnd === undefined) {
        const lost = bytesInUse(memtable.bytes, walk.end)
        if (lost > 0)
          onEvent({ level: 'warn', name: 'tail-cut', details: { file: path, offset: walk.end, bytes: lost } })
        cutAfter ??= path
      }
      if (memtable.isEmpty) {
        memtables.pop()?.release()
        continue
      }
      if (purpose === 'sync') memtable.file.sync()
      // From here on its end is listed in the manifest as a promise.
      if (purpose === 'sync' || knownEnd !== undefined) memtable.assumeSynced()
    }
    return memtables
  } catch (error) {
    for (const memtable of memtables) memtable.release()
    throw error
  }
}

interface ReplayedSegment {
  memtable: Memtable
  walk: FrameWalk
  /** Everything before it was synced once. */
  syncedEnd: number
}

/** `undefined`: a blank one, whose first page was not on disk when the power went. */
function replaySegment(
  storage: Storage,
  path: string,
  number: number,
  listed: SegmentRecord | undefined,
): ReplayedSegment | undefined {
  const knownEnd = listed?.end
  const file = storage.openSegment(path)
  try {
    const view = viewOf(file.bytes)
    const header = readSegmentHeader(view, file.bytes, path, number)
    if (header === undefined) {
      if (knownEnd !== undefined)
        throw new CorruptionError(path, 0, `it is blank, but records up to ${knownEnd} were synced`)
      file.close()
      return undefined
    }
    if (listed !== undefined && listed.salt !== header.salt)
      throw new CorruptionError(path, 12, `it is segment ${number} of another store, or of another time`)
    const watermark = readWatermark(view, file.bytes, header.salt)
    const { memtable, walk } = Memtable.recover(number, file, header.salt, watermark, knownEnd ?? file.capacity)
    const syncedEnd = knownEnd ?? watermark.syncedEnd
    if (walk.end < syncedEnd)
      throw new CorruptionError(path, walk.end, `a record that was synced (up to ${syncedEnd}) is damaged`)
    return { memtable, walk, syncedEnd }
  } catch (error) {
    file.close()
    throw error
  }
}

/** So that the next open does not take it for one that lost its end. Does nothing to one whose end is known anyway. */
function sealOnDisk(storage: Storage, memtable: Memtable): void {
  if (memtable.isSealed || memtable.syncedEnd === memtable.end) return
  const file = storage.resumeSegment(memtable.file.path, memtable.end + sealBytes)
  try {
    memtable.sealIn(file)
  } finally {
    file.close()
  }
}

function highestManifest(storage: Storage, directory: string): number {
  const numbers = storage.list(directory).map((name) => parseFileName(name)?.number ?? 0)
  return Math.max(0, ...numbers)
}

function removeStrays(storage: Storage, directory: string, manifest: ManifestLog): void {
  for (const name of storage.list(directory)) {
    const file = parseFileName(name)
    if (file === undefined) continue
    const path = join(directory, name)
    const live =
      (file.kind === 'table' && manifest.state.tables.has(file.number)) ||
      (file.kind === 'segment' && (manifest.state.segments.has(file.number) || manifest.state.kept.has(file.number))) ||
      path === manifest.path
    if (!live) storage.remove(path)
  }
}
