import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { compareBytes, keyBytesMax, openStore, type Store, valueBytesMax } from '@caskade/engine'
import { isLevelDb } from '../leveldb-directory.js'
import { storedKey } from '../stored-key.js'
import { classicRecords, type LevelRecord } from './classic-records.js'
import { ConvertError } from './convert-error.js'
import { type ClassicLevelLike, resolveClassicLevel } from './resolve-classic-level.js'

export interface ConvertProgress {
  phase: 'copying' | 'verifying'
  records: number
  bytes: number
}

export interface ConvertOptions {
  source: string
  /** Must not exist, or be empty. */
  target: string
  /** Where to look for classic-level: the directory of the user's project. */
  project: string
  /** Compare every record with its source afterwards; default `true`. */
  verify?: boolean
  /** Called some times a second at most, and at the end of a phase. */
  onProgress?: (progress: ConvertProgress) => void
}

/**
 * Copies a LevelDB directory into a new store: everything or nothing, for what is built beside the target gets its name
 * only when it is whole, compared with the source, and on disk. A run that was killed leaves `.NAME.converting`, which the
 * next one removes.
 */
export async function convert(options: ConvertOptions): Promise<ConvertProgress> {
  const { project, verify = true } = options
  const source = resolve(options.source)
  const target = resolve(options.target)
  await checkPlaces(source, target)
  const ClassicLevel = await resolveClassicLevel(project)
  const db = new ClassicLevel(source, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await db.open({ createIfMissing: false }).catch((error: Error & { cause?: Error }) => {
    throw new ConvertError(`cannot open ${source}: ${error.cause?.message ?? error.message}`)
  })
  const unfinished = join(dirname(target), `.${basename(target)}.converting`)
  try {
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(dirname(target), { recursive: true })
    const store = await openStore(unfinished)
    let done: ConvertProgress
    try {
      done = await copy(db, store, options.onProgress)
      if (verify) done = await compare(db, store, options.onProgress)
      await store.sync()
    } finally {
      await store.close()
    }
    if (existsSync(target)) await rmdir(target)
    await rename(unfinished, target)
    await syncDirectory(dirname(target))
    return done
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  } finally {
    await db.close()
  }
}

async function checkPlaces(source: string, target: string): Promise<void> {
  if (!existsSync(source)) throw new ConvertError(`${source} does not exist`)
  if (!isLevelDb(source)) throw new ConvertError(`${source} is not a LevelDB directory: its CURRENT names no manifest`)
  if (!existsSync(target)) return
  const names = await readdir(target).catch(() => undefined)
  if (names === undefined || names.length > 0)
    throw new ConvertError(`${target} exists and is not an empty directory: name one that is new`)
}

async function copy(
  db: ClassicLevelLike,
  store: Store,
  onProgress?: ConvertOptions['onProgress'],
): Promise<ConvertProgress> {
  const progress = new ProgressMeter('copying', onProgress)
  // In key order already: tables are built from it as it comes, past the log.
  await store.ingest(storedRecords(db, progress))
  return progress.end()
}

async function* storedRecords(db: ClassicLevelLike, progress: ProgressMeter): AsyncGenerator<LevelRecord, undefined> {
  for await (const records of classicRecords(db)) {
    for (const record of records) {
      checkLimits(record)
      yield { key: storedKey(record.key), value: record.value }
    }
    progress.add(records)
  }
}

function checkLimits({ key, value }: LevelRecord): void {
  const shown = JSON.stringify(Buffer.from(key).toString('utf8', 0, 60))
  if (storedKey(key).length > keyBytesMax)
    throw new ConvertError(`the key ${shown}… has ${key.length} bytes: the longest that can be kept has ${keyBytesMax}`)
  if (value.length > valueBytesMax)
    throw new ConvertError(
      `the value under ${shown} has ${value.length} bytes: the longest that can be kept has ${valueBytesMax}`,
    )
}

/** Both sides from the beginning, record by record. */
async function compare(
  db: ClassicLevelLike,
  store: Store,
  onProgress?: ConvertOptions['onProgress'],
): Promise<ConvertProgress> {
  const progress = new ProgressMeter('verifying', onProgress)
  const copies = store.scan()[Symbol.iterator]()
  for await (const records of classicRecords(db)) {
    for (const { key, value } of records) {
      const { value: copied } = copies.next()
      if (
        copied === undefined ||
        compareBytes(storedKey(key), copied.key) !== 0 ||
        compareBytes(value, copied.value) !== 0
      )
        throw new Error(`the copy is not what was read: they differ at key ${Buffer.from(key).toString('hex')}`)
    }
    progress.add(records)
  }
  if (copies.next().done !== true) throw new Error('the copy has more records than its source')
  return progress.end()
}

/** Without it, a power cut could take the new name back. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const reportEveryMs = 250

class ProgressMeter {
  readonly #now: ConvertProgress
  readonly #report: (progress: ConvertProgress) => void
  #reportedAt = performance.now()

  constructor(phase: ConvertProgress['phase'], report: (progress: ConvertProgress) => void = () => {}) {
    this.#now = { phase, records: 0, bytes: 0 }
    this.#report = report
  }

  add(records: readonly LevelRecord[]): void {
    this.#now.records += records.length
    for (const { key, value } of records) this.#now.bytes += key.length + value.length
    if (performance.now() - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = performance.now()
    this.#report({ ...this.#now })
  }

  end(): ConvertProgress {
    this.#report({ ...this.#now })
    return this.#now
  }
}
