import { join } from 'node:path'
import { CaskadeError, CorruptionError } from '../../errors.js'
import { readWhole } from '../../io/read-whole.js'
import type { Storage } from '../../io/storage.js'
import { mergedPath, parseFileName, segmentPath, tablePath } from '../file-names.js'
import { decodeManifest } from '../manifest/manifest-format.js'
import { readManifest } from '../manifest/manifest-log.js'
import { applyEdit, emptyState, type ManifestState } from '../manifest/manifest-state.js'
import { storeFiles } from './store-files.js'

export interface SalvagedManifest {
  state: ManifestState
  /** It is what the store last said, and every file it lists is here. Otherwise `state` is a moment of the past, or nothing. */
  whole: boolean
  /** Files that some readable edit dropped for good. */
  dropped: ReadonlySet<number>
  damage: { file: string; offset: number; message: string }[]
}

/** What can be known of which files were in force. A manifest of a newer version is refused. */
export function salvageManifest(storage: Storage, directory: string): SalvagedManifest {
  const damage: SalvagedManifest['damage'] = []
  const note = (file: string, error: unknown) => {
    if (!(error instanceof CorruptionError)) throw error
    damage.push({ file, offset: error.offset, message: error.message })
  }
  try {
    const read = readManifest(storage, directory)
    const { state } = read ?? { state: emptyState() }
    const missing = [
      ...[...state.tables.keys()].map((number) => tablePath(directory, number)),
      ...[...state.segments.values()].map(({ number, merged }) =>
        merged ? mergedPath(directory, number) : segmentPath(directory, number),
      ),
    ].filter((path) => storage.size(path) === undefined)
    for (const file of missing) damage.push({ file, offset: 0, message: `${file} is missing` })
    // A torn last edit is no damage, unless what it says is needed.
    const torn = read !== undefined && read.tail.bytes > 0 && missing.length > 0
    if (torn) damage.push({ file: read.path, offset: read.tail.offset, message: 'an edit does not match its checksum' })
    return { state, whole: !torn, dropped: new Set(), damage }
  } catch (error) {
    note(error instanceof CorruptionError ? error.file : directory, error)
  }
  const newest = storage.list(directory).findLast((name) => parseFileName(name)?.kind === 'manifest')
  const state = emptyState()
  const dropped = new Set<number>()
  try {
    if (newest !== undefined) {
      const path = join(directory, newest)
      for (const edit of decodeManifest(readWhole(storage, path), path).edits) {
        applyEdit(state, edit)
        for (const number of [...(edit.dropTables ?? []), ...(edit.dropSegments ?? [])]) dropped.add(number)
        for (const { number } of [...(edit.addTables ?? []), ...(edit.addSegments ?? [])]) dropped.delete(number)
      }
    }
  } catch (error) {
    note(directory, error)
  }
  return { state, whole: false, dropped, damage }
}

/** As `salvageManifest`; numbers for new files come after those of all that are here. Throws when nothing here is of a store. */
export function salvageStore(storage: Storage, directory: string): SalvagedManifest {
  const salvaged = salvageManifest(storage, directory)
  const { state } = salvaged
  const numbers = storeFiles(storage, directory).map(({ number }) => number)
  if (numbers.length === 0 && state.nextFile === 1)
    throw new CaskadeError('CASKADE_IO', `there is no store in ${directory}`)
  state.nextFile = Math.max(state.nextFile, ...numbers.map((number) => number + 1))
  return salvaged
}
