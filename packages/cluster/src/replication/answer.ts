import type { Bucket } from '../coordination/topology.js'
import type { KeyResult, ResultValue } from '../node/result.js'
import { contextOf, readRecord } from '../record/read-record.js'

/** Makes one value of several concurrent ones, latest first. Must give the same for the same values. */
export type MergeFunction = (values: readonly Uint8Array[]) => Uint8Array

const noContext = new Uint8Array(0)
const unknown: KeyResult = { status: 'notFound', version: 0, context: noContext }

/** What a client is told of a record. */
export function answerOf(
  record: Uint8Array | undefined,
  bucket: Bucket,
  merges: ReadonlyMap<string, MergeFunction>,
  wallMs: number,
): KeyResult {
  if (record === undefined) return unknown
  const { values, version, timestampMs, state } = readRecord(record, wallMs)
  const context = contextOf(state)
  if (values.length === 0) return { status: 'notFound', version, context }
  const found: ResultValue[] = []
  for (const { value, stampMs, expiresAt } of values) found.push({ value, timestampMs: stampMs, expiresAt })
  const { resolution } = bucket
  const merge = found.length > 1 && resolution.rule === 'merge' ? merges.get(resolution.name) : undefined
  if (merge === undefined) return { status: 'ok', values: found, version, context, timestampMs }
  const value = merge(found.map((each) => each.value))
  const expiresAt = found.some((each) => each.expiresAt === 0) ? 0 : Math.max(...found.map((each) => each.expiresAt))
  return { status: 'ok', values: [{ value, timestampMs, expiresAt }], version, context, timestampMs }
}

/** The answer to a write that made, or found, this record. */
export function writtenAnswer(record: Uint8Array, wallMs: number): KeyResult & { status: 'ok' } {
  const { state, version, timestampMs } = readRecord(record, wallMs)
  return { status: 'ok', values: [], version, context: contextOf(state), timestampMs }
}

export const versionOfRecord = (record: Uint8Array, wallMs: number): number => readRecord(record, wallMs).version
