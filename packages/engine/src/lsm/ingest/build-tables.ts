import { checkExpiresAt, checkKey, checkTag, checkValue, checkWrittenAt } from '../../arguments.js'
import { nextTurn } from '../../long-operations.js'
import type { IngestRecord } from '../../store.js'
import type { WrittenTable } from '../worker/job.js'
import { RecordBatch } from './record-batch.js'

/** Records are taken in for so many bytes, or so many of them, before the event loop turns. */
const turnBytes = 256 << 10
const turnRecords = 1024

/**
 * Turns a stream of records into tables: gathers a batch here, in slices, while `build` makes a table of the one before in
 * another thread. Memory: two batches. Rejects with nothing under way; what `build` has written is the caller's to remove.
 */
export async function buildTables(
  records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>,
  batchBytes: number,
  build: (records: Uint8Array) => Promise<WrittenTable[]>,
  signal: AbortSignal,
): Promise<WrittenTable[]> {
  const written: WrittenTable[] = []
  let batch = new RecordBatch()
  /** Of the batch before. */
  let lastKey: Uint8Array | undefined
  let building = Promise.resolve()
  let turnEnd = turnBytes
  let sinceTurn = 0

  const send = async () => {
    await building
    const { bytes } = batch
    lastKey = new Uint8Array(batch.lastKey)
    batch = new RecordBatch()
    turnEnd = turnBytes
    building = build(bytes).then((tables) => void written.push(...tables))
    // Awaited later; not unhandled until then.
    building.catch(() => {})
  }
  /** Whether the caller should let others run. */
  const take = (record: IngestRecord): boolean => {
    const { key, value, expiresAt = 0, tag = 0, writtenAt = 0 } = record
    checkKey(key)
    checkValue(value)
    checkExpiresAt(expiresAt)
    checkTag(tag)
    checkWrittenAt(writtenAt)
    const previous = batch.length > 0 ? batch.lastKey : lastKey
    if (previous !== undefined && !(batch.length > 0 ? batch.precedes(key) : Buffer.compare(previous, key) < 0))
      throw new RangeError(`the keys of an ingest ascend, each once: ${shown(key)} came after ${shown(previous)}`)
    batch.add(key, value, expiresAt, tag, writtenAt)
    return batch.length >= turnEnd || ++sinceTurn >= turnRecords
  }
  const giveWay = async () => {
    sinceTurn = 0
    turnEnd = batch.length + turnBytes
    if (batch.length >= batchBytes) await send()
    await nextTurn()
    signal.throwIfAborted()
  }

  try {
    if (Symbol.asyncIterator in records) {
      for await (const record of records) if (take(record)) await giveWay()
    } else {
      for (const record of records) if (take(record)) await giveWay()
    }
    signal.throwIfAborted()
    if (batch.length > 0) await send()
    await building
    return written
  } catch (error) {
    await building.catch(() => {})
    throw error
  }
}

function shown(key: Uint8Array): string {
  const text = JSON.stringify(Buffer.from(key.subarray(0, 64)).toString('latin1'))
  return key.length > 64 ? `${text} (cut)` : text
}
