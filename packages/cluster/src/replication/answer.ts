import type { Bucket } from '../coordination/topology.js'
import type { KeyResult, ResultValue, ValueResult } from '../node/result.js'
import type { NewWrite } from '../record/mint-record.js'
import { contextOf, recordTimestampMs, recordVersion, visibleSiblings } from '../record/read-record.js'
import { isRequest, siblingCountOf, siblingsAt } from '../record/record-format.js'

/** Makes one value of several concurrent ones, latest first. Must give the same for the same values. */
export type MergeFunction = (values: readonly Uint8Array[]) => Uint8Array

const noContext = new Uint8Array(0)
const noValues: readonly ResultValue[] = []
const unknown: KeyResult = { status: 'notFound', version: 0, context: noContext }

/** Version and context are made when they are asked for: many clients want neither. The record must not change. */
class RecordAnswer implements ValueResult {
  readonly status = 'ok'
  readonly values: readonly ResultValue[]
  readonly timestampMs: number
  readonly #record: Uint8Array

  constructor(record: Uint8Array, values: readonly ResultValue[], timestampMs: number) {
    this.#record = record
    this.values = values
    this.timestampMs = timestampMs
  }

  get version(): number {
    return recordVersion(this.#record)
  }

  get context(): Uint8Array {
    return contextOf(this.#record)
  }
}

/** What a client is told of a record. */
export function answerOf(
  record: Uint8Array | undefined,
  bucket: Bucket,
  merges: ReadonlyMap<string, MergeFunction>,
  wallMs: number,
): KeyResult {
  if (record === undefined) return unknown
  const siblings = visibleSiblings(record, wallMs)
  if (siblings.length === 0) return { status: 'notFound', version: recordVersion(record), context: contextOf(record) }
  const timestampMs = siblings[0]!.stampMs
  const found: ResultValue[] = []
  for (const { value, stampMs, expiresAt } of siblings) found.push({ value, timestampMs: stampMs, expiresAt })
  const { resolution } = bucket
  const merge = found.length > 1 && resolution.rule === 'merge' ? merges.get(resolution.name) : undefined
  if (merge === undefined) return new RecordAnswer(record, found, timestampMs)
  const value = merge(found.map((each) => each.value))
  const expiresAt = found.some((each) => each.expiresAt === 0) ? 0 : Math.max(...found.map((each) => each.expiresAt))
  return new RecordAnswer(record, [{ value, timestampMs, expiresAt }], timestampMs)
}

/** Nothing but this write is in the record: its writer needs to be told no value. */
export function isAlone(
  record: Uint8Array,
  { requestHigh, requestLow }: Pick<NewWrite, 'requestHigh' | 'requestLow'>,
): boolean {
  if (siblingCountOf(record) !== 1) return false
  return (requestHigh | requestLow) === 0 || isRequest(record, siblingsAt(record), requestHigh, requestLow)
}

/** The answer to a write that is alone in this record. */
export function writtenAnswer(record: Uint8Array): ValueResult {
  return new RecordAnswer(record, noValues, recordTimestampMs(record))
}

/**
 * The answer to a write that is not: the context stands for all of the record, so all of it is told, as to a read. Otherwise the
 * client's next write would replace values that it has never seen.
 */
export function writtenBesideAnswer(
  record: Uint8Array,
  bucket: Bucket,
  merges: ReadonlyMap<string, MergeFunction>,
  wallMs: number,
): ValueResult {
  const answer = answerOf(record, bucket, merges, wallMs)
  return answer.status === 'ok' ? answer : writtenAnswer(record)
}
