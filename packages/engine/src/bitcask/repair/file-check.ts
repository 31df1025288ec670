import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import { readWhole } from '../../io/read-whole.js'
import type { Storage } from '../../io/storage.js'
import type { SegmentRecord } from '../../lsm/manifest/manifest-state.js'
import { align8, framesStart, readSegmentHeader, readWatermark } from '../../lsm/memtable/segment-format.js'
import { walkFrames } from '../../lsm/memtable/segment-frames.js'
import { recordSequence, type SegmentBytes } from '../../lsm/memtable/segment-record.js'
import { salvageFrames } from '../../lsm/repair/segment-salvage.js'
import { HintReader } from '../hint-format.js'

/** A data file as it is on disk, and what else is known of it. */
export interface FilePlace {
  number: number
  merged: boolean
  path: string
  hint: string
  /** As the manifest has it. */
  listed: SegmentRecord | undefined
}

/** What a look at every frame of a data file found. */
export interface FileCheck extends FilePlace {
  /** `undefined`: nobody knows it, so no checksum can be checked. */
  salt: number | undefined
  /** Whole frames lie before it. */
  end: number
  /** Nothing is missing behind `end`. */
  closed: boolean
  records: number
  largestSequence: number
  /** So far it was on disk once. */
  syncedEnd: number
  damage: CorruptionError | undefined
}

/** Reads a data file whole. Throws only what is not about its content. */
export function checkFile(storage: Storage, place: FilePlace): FileCheck {
  const segment = readFile(storage, place)
  const { salt, damage } = saltOf(storage, place, segment)
  const check: FileCheck = {
    ...place,
    salt,
    end: framesStart,
    closed: false,
    records: 0,
    largestSequence: 0,
    syncedEnd: framesStart,
    damage,
  }
  if (salt === undefined) return check
  const { listed, merged, path } = place
  try {
    const walk = walkFrames(segment, salt, path, listed?.end ?? segment.bytes.length, (offset) => {
      check.records++
      check.largestSequence = Math.max(check.largestSequence, recordSequence(segment.view, offset))
    })
    check.end = walk.end
    check.closed = walk.sealed || walk.end === listed?.end
    check.syncedEnd = listed?.end ?? readWatermark(segment.view, segment.bytes, salt).syncedEnd
    const missesEnd = walk.end < check.syncedEnd || (merged && !check.closed)
    if (missesEnd || (!check.closed && furthestFrame(segment, salt) > walk.end))
      check.damage ??= new CorruptionError(path, walk.end, 'a record does not match its checksum')
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    check.damage ??= error
  }
  return check
}

/** At least a page. What lies behind the end that the manifest has was cut off once, and is not to come back. */
export function readFile(storage: Storage, { path, listed }: FilePlace): SegmentBytes {
  const file = storage.open(path)
  try {
    const bytes = new Uint8Array(Math.max(file.size, framesStart))
    file.read(bytes, 0, file.size, 0)
    const counted = listed?.end === undefined ? bytes : bytes.subarray(0, Math.max(listed.end, framesStart))
    return { bytes: counted, view: viewOf(counted) }
  } finally {
    file.close()
  }
}

/** From the manifest, the file's own header, or its hint: with it, frames can be told even if the first page is damaged. */
function saltOf(
  storage: Storage,
  { path, number, listed, hint }: FilePlace,
  { bytes, view }: SegmentBytes,
): { salt: number | undefined; damage: CorruptionError | undefined } {
  const known = listed?.salt
  try {
    const header = readSegmentHeader(view, bytes, path, number)
    if (header !== undefined && known !== undefined && header.salt !== known)
      throw new CorruptionError(path, 12, `it is data file ${number} of another store, or of another time`)
    if (header === undefined && listed?.end !== undefined)
      throw new CorruptionError(path, 0, `it is blank, but records up to ${listed.end} were synced`)
    return { salt: known ?? header?.salt ?? hintedSalt(storage, hint, number), damage: undefined }
  } catch (damage) {
    if (!(damage instanceof CorruptionError)) throw damage
    return { salt: known ?? hintedSalt(storage, hint, number), damage }
  }
}

function hintedSalt(storage: Storage, path: string, number: number): number | undefined {
  if (storage.size(path) === undefined) return undefined
  try {
    const { owner } = new HintReader(readWhole(storage, path), undefined, path)
    return owner.number === number ? owner.salt : undefined
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    return undefined
  }
}

function furthestFrame(segment: SegmentBytes, salt: number): number {
  let furthest = 0
  for (const { end } of salvageFrames(segment, salt)) furthest = align8(end)
  return furthest
}
