import { crc32 as nativeCrc32 } from 'node:zlib'
import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { slotCount } from '../key-slot.js'
import type { DataSummary } from './data-summary.js'
import { fileIndexCount, type TableSizes, tableBytes, tableCapacity } from './keydir/keydir.js'
import { chunkRuns } from './keydir/keydir-memory.js'

/**
 * The keydir as it was when the store was closed, so that the next open reads no hints. docs/engine/keydir-snapshot-format.md has the
 * picture.
 *
 *   header (64 bytes) | files | pinning numbers | slots | crc u32
 *   then runs of tables, as they are in memory, each with its crc u32
 *
 * All integers are little-endian. Only a copy of what hints and data say: whatever is not as it should be, an unknown version too, and
 * it is not used. So it needs no sync of its own.
 */
/** "CSKDKDR\n" */
const magic = 0x0a52444b444b5343n
/** Goes up with any change of the tables' layout in memory. */
const version = 1
export const snapshotHeaderBytes = 64
const fileBytes = 104
const slotBytes = 12
export const checksumBytes = 4
const flagMerged = 1

/** A data file, and what is known of it besides its keys. */
export interface SnapshotFile {
  number: number
  /** The tables' name for it. */
  index: number
  salt: number
  end: number
  merged: boolean
  liveBytes: number
  pinnedBytes: number
  pinnedBy: readonly number[]
  summary: DataSummary
}

/** Everything but the tables. */
export interface SnapshotHead {
  number: number
  salt: number
  /** Of the newest record. */
  sequence: number
  files: SnapshotFile[]
  sizes: TableSizes
}

const summaryFields = [
  'records',
  'bytes',
  'tombstones',
  'smallestSequence',
  'largestSequence',
  'expiringBytes',
  'expiresFrom',
  'expiresBy',
] as const satisfies (keyof DataSummary)[]

export function encodeSnapshotHead({ number, salt, sequence, files, sizes }: SnapshotHead): Uint8Array {
  const pinning = files.flatMap(({ pinnedBy }) => pinnedBy)
  const length = headBytes(files.length, pinning.length, sizes.slots.length)
  const bytes = new Uint8Array(length)
  const view = viewOf(bytes)
  view.setBigUint64(0, magic, true)
  view.setUint32(8, version, true)
  view.setUint32(12, salt, true)
  view.setBigUint64(16, BigInt(number), true)
  view.setFloat64(24, sequence, true)
  view.setUint32(32, files.length, true)
  view.setUint32(36, pinning.length, true)
  view.setUint32(40, sizes.slots.length, true)
  let at = snapshotHeaderBytes
  for (const file of files) {
    view.setUint16(at, file.index, true)
    view.setUint16(at + 2, file.merged ? flagMerged : 0, true)
    view.setUint32(at + 4, file.salt, true)
    view.setUint32(at + 8, file.end, true)
    view.setUint32(at + 12, file.pinnedBy.length, true)
    view.setFloat64(at + 16, file.number, true)
    view.setFloat64(at + 24, file.liveBytes, true)
    view.setFloat64(at + 32, file.pinnedBytes, true)
    for (const [i, field] of summaryFields.entries()) view.setFloat64(at + 40 + 8 * i, file.summary[field], true)
    at += fileBytes
  }
  for (const other of pinning) {
    view.setFloat64(at, other, true)
    at += 8
  }
  for (const [i, slot] of sizes.slots.entries()) {
    view.setUint32(at, slot, true)
    view.setUint32(at + 4, sizes.lines[i]!, true)
    view.setUint32(at + 8, sizes.counts[i]!, true)
    at += slotBytes
  }
  view.setUint32(at, nativeCrc32(bytes.subarray(0, at)) >>> 0, true)
  return bytes
}

const headBytes = (files: number, pinning: number, slots: number) =>
  snapshotHeaderBytes + files * fileBytes + pinning * 8 + slots * slotBytes + checksumBytes

/** Bytes of the head, from its header; the bytes of the file bound it. */
export function snapshotHeadBytes(header: Uint8Array, fileLength: number, file: string): number {
  const view = viewOf(header)
  if (header.length < snapshotHeaderBytes) throw new CorruptionError(file, 0, `only ${header.length} bytes long`)
  if (view.getBigUint64(0, true) !== magic) throw new CorruptionError(file, 0, 'not a keydir snapshot (bad magic)')
  const found = view.getUint32(8, true)
  if (found !== version) throw new CorruptionError(file, 8, `it has format version ${found}, this is ${version}`)
  const length = headBytes(view.getUint32(32, true), view.getUint32(36, true), view.getUint32(40, true))
  if (length > fileLength) throw new CorruptionError(file, 32, `its head has ${length} bytes, the file ${fileLength}`)
  return length
}

/** Throws `CorruptionError` unless every byte is as it was written, and the tables behind it fill the file. */
export function decodeSnapshotHead(bytes: Uint8Array, fileLength: number, file: string): SnapshotHead {
  const view = viewOf(bytes)
  const end = bytes.length - checksumBytes
  if (view.getUint32(end, true) !== nativeCrc32(bytes.subarray(0, end)) >>> 0)
    throw new CorruptionError(file, 0, 'its head does not match its checksum')
  const files: SnapshotFile[] = []
  let at = snapshotHeaderBytes
  let pinning = at + view.getUint32(32, true) * fileBytes
  for (let i = view.getUint32(32, true); i > 0; i--, at += fileBytes) {
    const index = view.getUint16(at, true)
    if (index >= fileIndexCount) throw new CorruptionError(file, at, `there is no file index ${index}`)
    const summary = {} as DataSummary
    for (const [field, name] of summaryFields.entries()) summary[name] = view.getFloat64(at + 40 + 8 * field, true)
    const pinnedBy = Array.from({ length: view.getUint32(at + 12, true) }, (_, k) =>
      view.getFloat64(pinning + 8 * k, true),
    )
    pinning += 8 * pinnedBy.length
    files.push({
      number: view.getFloat64(at + 16, true),
      index,
      salt: view.getUint32(at + 4, true),
      end: view.getUint32(at + 8, true),
      merged: (view.getUint16(at + 2, true) & flagMerged) !== 0,
      liveBytes: view.getFloat64(at + 24, true),
      pinnedBytes: view.getFloat64(at + 32, true),
      pinnedBy,
      summary,
    })
  }
  const sizes = readSizes(view, pinning, end, file)
  let length = bytes.length
  for (const { lines } of chunkRuns(sizes.lines)) length += tableBytes(lines) + checksumBytes
  if (length !== fileLength)
    throw new CorruptionError(file, fileLength, `it has ${fileLength} bytes, its head says ${length}`)
  return {
    number: Number(view.getBigUint64(16, true)),
    salt: view.getUint32(12, true),
    sequence: view.getFloat64(24, true),
    files,
    sizes,
  }
}

function readSizes(view: DataView, start: number, end: number, file: string): TableSizes {
  const length = (end - start) / slotBytes
  const sizes = {
    slots: new Uint32Array(length),
    lines: new Uint32Array(length),
    counts: new Uint32Array(length),
  }
  for (let i = 0, at = start; i < length; i++, at += slotBytes) {
    const slot = view.getUint32(at, true)
    const lines = view.getUint32(at + 4, true)
    const count = view.getUint32(at + 8, true)
    const ascends = i === 0 || slot > sizes.slots[i - 1]!
    if (slot >= slotCount || !ascends || count > tableCapacity(lines))
      throw new CorruptionError(file, at, `slot ${slot} cannot have ${count} keys in ${lines} lines`)
    sizes.slots[i] = slot
    sizes.lines[i] = lines
    sizes.counts[i] = count
  }
  return sizes
}

/** Of run number `run` of the tables: one in the place of another does not pass. */
export const tablesChecksum = (tables: Uint8Array, salt: number, run: number) =>
  nativeCrc32(tables, (salt ^ run) >>> 0) >>> 0
