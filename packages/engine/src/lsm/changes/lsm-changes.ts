import { viewOf } from '../../bytes.js'
import type { Storage } from '../../io/storage.js'
import { segmentPath } from '../file-names.js'
import type { ManifestState } from '../manifest/manifest-state.js'
import type { Memtable } from '../memtable/memtable.js'
import type { WriteLog } from '../write-log.js'
import { LogChanges, type LogPart } from './log-changes.js'

/** Kept segments, those waiting for their flush, the active one. */
export function lsmChanges(storage: Storage, directory: string, state: ManifestState, log: WriteLog): LogChanges {
  return new LogChanges(log, function* () {
    for (const memtable of [log.active, ...log.immutables.toReversed()])
      if (memtable.largestSequence > 0) yield memtablePart(memtable)
    for (const kept of [...state.kept.values()].reverse()) {
      const { number, salt, end, smallestSequence, largestSequence } = kept
      const path = segmentPath(directory, number)
      const open = () => {
        const file = storage.openSegment(path)
        const segment = { bytes: file.bytes, view: viewOf(file.bytes), salt, path }
        return { segment, end: () => end, release: () => file.close() }
      }
      yield { number, smallestSequence, largestSequence, open }
    }
  })
}

function memtablePart(memtable: Memtable): LogPart {
  const { fileNumber: number, smallestSequence, largestSequence, bytes, view, salt, file } = memtable
  const open = () => {
    memtable.retain()
    let held = true
    const release = () => {
      if (held) memtable.release()
      held = false
    }
    return { segment: { bytes, view, salt, path: file.path }, end: () => memtable.wholeEnd, release }
  }
  return { number, smallestSequence, largestSequence, open }
}
