import { viewOf } from '../bytes.js'
import { readWhole } from '../io/read-whole.js'
import type { Storage } from '../io/storage.js'
import { LogChanges, type LogPart } from '../lsm/changes/log-changes.js'
import type { ManifestState } from '../lsm/manifest/manifest-state.js'
import type { DataFile } from './data-file.js'
import type { DataLog } from './data-log.js'
import type { FileTable } from './file-table.js'

/** The data files that no merge has touched are the log. */
export function bitcaskChanges(storage: Storage, state: ManifestState, files: FileTable, log: DataLog): LogChanges {
  const partOf = (file: DataFile): LogPart => ({
    number: file.number,
    smallestSequence: file.summary.smallestSequence,
    largestSequence: file.summary.largestSequence,
    open: () => {
      file.retain()
      return { segment: segmentOf(storage, file), end: () => wholeEnd(log, file), release: () => files.release(file) }
    },
  })
  return new LogChanges(log, function* () {
    const newestFirst = [...files]
      .filter(({ merged, number, summary }) => !merged && summary.records > 0 && state.segments.has(number))
      .sort((a, b) => b.number - a.number)
    for (const file of newestFirst) {
      const { smallestSequence, largestSequence, records } = file.summary
      // An ingest: one sequence for all of it.
      if (largestSequence - smallestSequence + 1 < records) return
      yield partOf(file)
    }
  })
}

/** What a batch has written so far is not in it. */
function wholeEnd({ active }: DataLog, file: DataFile): number {
  return active.file === file && active.openFrameStart !== 0 ? active.openFrameStart : file.end
}

function segmentOf(storage: Storage, file: DataFile) {
  const { salt, path } = file
  if (file.isResident) return { bytes: file.bytes, view: file.view, salt, path }
  const bytes = readWhole(storage, path)
  return { bytes, view: viewOf(bytes), salt, path }
}
