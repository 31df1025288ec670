import { CorruptionError } from '../../errors.js'
import { readWhole } from '../../io/read-whole.js'
import type { Storage } from '../../io/storage.js'
import { nextTurn } from '../../long-operations.js'
import { refuseUnfinished } from '../../lsm/checkpoint-run.js'
import { lockPath } from '../../lsm/file-names.js'
import { FoundRecord } from '../../lsm/found-record.js'
import { ManifestLog } from '../../lsm/manifest/manifest-log.js'
import { emptyState, type ManifestState, type SegmentRecord } from '../../lsm/manifest/manifest-state.js'
import { frameHeaderBytes, framesStart, recordHeaderBytes } from '../../lsm/memtable/segment-format.js'
import { readRecord, recordEnd } from '../../lsm/memtable/segment-record.js'
import { moveToLost } from '../../lsm/repair/lost-files.js'
import { salvageStore } from '../../lsm/repair/manifest-salvage.js'
import { salvageFrames } from '../../lsm/repair/segment-salvage.js'
import { otherManifests, storeFiles } from '../../lsm/repair/store-files.js'
import type { RepairReport } from '../../repair.js'
import { dataPath, hintPath } from '../file-names.js'
import { HintReader } from '../hint-format.js'
import { offsetLimit } from '../keydir/keydir.js'
import { MergeOutputs, outputsAtMost } from '../merge-outputs.js'
import { checkFile, type FileCheck, type FilePlace, readFile } from './file-check.js'

export interface BitcaskRepairOptions {
  dataFileBytes: number
  salt: () => number
}

/** No data file has so many. */
const recordsMax = offsetLimit / (frameHeaderBytes + recordHeaderBytes)

/**
 * Makes a damaged directory one that opens, from whatever a checksum vouches for. The order of files does not matter, for every record says
 * when it was written.
 *
 * - A data file with damage gives its readable frames to a new one.
 * - A damaged hint is removed: the next open writes another.
 * - Without a whole manifest every data file found counts, but for those that what is left of it drops.
 *
 * Crash windows: nothing but hints is removed or moved before the new manifest is in force; until then repair begins anew. Hints whose secret is
 * lost go first: beside a manifest with another one they would be believed.
 */
export async function repairBitcask(
  storage: Storage,
  directory: string,
  options: BitcaskRepairOptions,
): Promise<RepairReport> {
  const lock = storage.lock(lockPath(directory), 'exclusive')
  try {
    refuseUnfinished(storage, directory)
    return await new BitcaskRepair(storage, directory, options).run()
  } finally {
    lock.release()
  }
}

class BitcaskRepair {
  readonly #storage: Storage
  readonly #directory: string
  readonly #options: BitcaskRepairOptions
  readonly #state: ManifestState
  readonly #whole: boolean
  readonly #dropped: ReadonlySet<number>
  readonly #report: RepairReport
  /** Damaged files, to be moved away. */
  readonly #lost: string[] = []
  readonly #damagedHints: string[] = []

  constructor(storage: Storage, directory: string, options: BitcaskRepairOptions) {
    this.#storage = storage
    this.#directory = directory
    this.#options = options
    const { state, whole, dropped, damage } = salvageStore(storage, directory)
    this.#state = state
    this.#whole = whole
    this.#dropped = dropped
    this.#report = { damage, lost: [], recordsSalvaged: 0, manifestRebuilt: !whole }
  }

  async run(): Promise<RepairReport> {
    const checks: FileCheck[] = []
    for (const place of this.#places()) {
      const check = checkFile(this.#storage, place)
      checks.push(check)
      this.#note(check)
      await nextTurn()
    }
    this.#noteHoles(checks)
    if (this.#report.damage.length === 0) return this.#report
    const secret = this.#state.bitcask?.secret ?? this.#newSecret()
    const segments: SegmentRecord[] = []
    for (const check of checks) segments.push(...this.#keep(check, secret))
    this.#storage.syncDirectory(this.#directory)
    const manifest = ManifestLog.begin(this.#storage, this.#directory, {
      ...emptyState(),
      nextFile: this.#state.nextFile,
      sequence: this.#newestSequence(checks),
      segments: new Map(segments.map((segment) => [segment.number, segment])),
      bitcask: { secret },
    })
    manifest.close()
    if (!this.#whole) this.#lost.push(...otherManifests(this.#storage, this.#directory, manifest.path))
    this.#report.lost.push(...moveToLost(this.#storage, this.#directory, this.#lost))
    for (const path of this.#damagedHints) this.#storage.remove(path)
    this.#storage.syncDirectory(this.#directory)
    return this.#report
  }

  /** Data files that count, oldest first. */
  #places(): FilePlace[] {
    const { segments, nextFile } = this.#state
    const created = this.#whole ? nextFile : 0
    return storeFiles(this.#storage, this.#directory)
      .filter(({ kind, number }) => {
        const listed = segments.get(number)
        if (kind === 'data') return this.#whole ? listed?.merged === true : !this.#dropped.has(number)
        if (kind !== 'segment' || listed?.merged === true) return false
        return listed !== undefined || (number >= created && !this.#dropped.has(number))
      })
      .map(({ kind, number, path }) => ({
        number,
        merged: kind === 'data',
        path,
        hint: hintPath(this.#directory, number),
        listed: segments.get(number),
      }))
      .sort((a, b) => a.number - b.number)
  }

  #note({ path, hint, number, salt, end, damage }: FileCheck): void {
    const { damage: found } = this.#report
    if (damage !== undefined) {
      found.push({ file: path, offset: damage.offset, message: damage.message })
      this.#lost.push(path)
    } else if (salt !== undefined && this.#storage.size(hint) !== undefined) {
      try {
        new HintReader(readWhole(this.#storage, hint), { number, salt, end }, hint)
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error
        found.push({ file: hint, offset: error.offset, message: error.message })
        this.#damagedHints.push(hint)
      }
    }
  }

  /** A log that lost its end though a later one was synced: no open goes past that. */
  #noteHoles(checks: readonly FileCheck[]): void {
    let torn: FileCheck | undefined
    for (const check of checks) {
      if (check.merged || check.listed?.end !== undefined || check.damage !== undefined) continue
      if (torn !== undefined && check.records > 0 && check.syncedEnd > framesStart) {
        const message = `its end is missing, but ${check.path} was written and synced after it`
        this.#report.damage.push({ file: torn.path, offset: torn.end, message })
        return
      }
      if (!check.closed && (check.records > 0 || check.listed !== undefined)) torn ??= check
    }
  }

  /** One that no record ever had, whatever is lost: whoever follows the changes is told that some are gone. */
  #newestSequence(checks: readonly FileCheck[]): number {
    const newest = Math.max(this.#state.sequence, ...checks.map(({ largestSequence }) => largestSequence))
    return newest + this.#report.damage.length * recordsMax
  }

  #newSecret(): readonly [number, number] {
    for (const { kind, path } of storeFiles(this.#storage, this.#directory))
      if (kind === 'hint') this.#storage.remove(path)
    this.#storage.syncDirectory(this.#directory)
    return [this.#options.salt(), this.#options.salt()]
  }

  /** What the new manifest lists of a file: itself, or what its readable frames were copied to. */
  #keep(check: FileCheck, secret: readonly [number, number]): SegmentRecord[] {
    const { number, salt, end, merged, listed, path, records, damage } = check
    if (salt === undefined || (records === 0 && damage === undefined)) return []
    if (damage !== undefined) return this.#salvage(check, salt, secret)
    if (listed?.end === undefined) this.#storage.syncFile(path)
    return [{ number, salt, end, ...(merged && { merged }) }]
  }

  #salvage(place: FilePlace, salt: number, secret: readonly [number, number]): SegmentRecord[] {
    const segment = readFile(this.#storage, place)
    const { dataFileBytes, salt: newSalt } = this.#options
    const outputs = Array.from({ length: outputsAtMost(segment.bytes.length, dataFileBytes) }, () => {
      const number = this.#state.nextFile++
      const path = dataPath(this.#directory, number, true)
      const hint = hintPath(this.#directory, number)
      this.#storage.remove(path)
      return { number, salt: newSalt(), path, hint }
    })
    const target = new MergeOutputs(this.#storage, { outputs, outputBytes: dataFileBytes, secret })
    const record = new FoundRecord()
    try {
      for (const frame of salvageFrames(segment, salt)) {
        for (let at = frame.start + frameHeaderBytes; at < frame.end; at = recordEnd(segment.view, at)) {
          readRecord(segment, at, record)
          target.add(record, undefined)
          this.#report.recordsSalvaged++
        }
      }
      return target.finish().map(({ number, salt, end }) => ({ number, salt, end, merged: true }))
    } catch (error) {
      target.abandon()
      throw error
    }
  }
}
