import { findCounter, readActor, readCounter } from '../causality/vector-bytes.js'
import { covers } from '../causality/version-vector.js'
import { mergeByRule } from '../record/merge-policy.js'
import { mergeRecords } from '../record/merge-records.js'
import {
  decodeRecord,
  encodeRecord,
  flagsAt,
  historyAt,
  historyEntriesOf,
  isRequest,
  readRequestHigh,
  readRequestLow,
  readSiblingEnd,
  requestFlag,
  siblingCountOf,
  siblingsAt,
} from '../record/record-format.js'
import type { RecordState, Sibling } from '../record/record-state.js'
import type { Resolution, ResolutionCounters } from '../record/resolution.js'
import type { RecentRequests } from './recent-requests.js'

/**
 * Merge, but for twins: a write that two owners minted, because the coordinator heard nothing from the first, is one event. When one of
 * the two dots has been replaced before they meet, the other one would come back beside what replaced it. A node that remembers
 * the request knows better and drops it; its record then says that it has seen that dot, which tells all others.
 *
 * Not under lww: there the later stamp wins whatever is known, so that only a mint that does not happen helps.
 */
export function mergeWithoutTwins(
  a: Uint8Array,
  b: Uint8Array,
  resolution: Resolution,
  counters: ResolutionCounters,
  requests: RecentRequests,
): Uint8Array {
  if (resolution.rule === 'lww' || !(hasReplacedTwin(a, b, requests) || hasReplacedTwin(b, a, requests)))
    return mergeRecords(a, b, resolution, counters)
  const left = decodeRecord(a)
  const right = decodeRecord(b)
  const merged = mergeByRule(left, right, resolution, counters)
  const siblings = merged.siblings.filter(
    (each) => !isReplacedTwin(left, each, requests) && !isReplacedTwin(right, each, requests),
  )
  return siblings.length === 0
    ? mergeRecords(a, b, resolution, counters)
    : encodeRecord({ history: merged.history, siblings })
}

/** Notes the requests of a record. */
export function rememberRequests(record: Uint8Array, requests: RecentRequests): void {
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at))
    if (record[at + flagsAt]! & requestFlag)
      requests.add(
        readRequestHigh(record, at),
        readRequestLow(record, at),
        readActor(record, at),
        readCounter(record, at),
      )
}

/** Whether `other` has a sibling whose request `known` has seen under another dot, and seen replaced. On bytes: nearly all have none. */
function hasReplacedTwin(known: Uint8Array, other: Uint8Array, requests: RecentRequests): boolean {
  let at = siblingsAt(other)
  for (let left = siblingCountOf(other); left > 0; left--, at = readSiblingEnd(other, at)) {
    if (!(other[at + flagsAt]! & requestFlag)) continue
    const high = readRequestHigh(other, at)
    const low = readRequestLow(other, at)
    const place = requests.find(high, low)
    if (place < 0) continue
    const actor = requests.actorAt(place)
    const counter = requests.counterAt(place)
    if (readActor(other, at) === actor && readCounter(other, at) === counter) continue
    const seen = findCounter(known, historyAt, historyEntriesOf(known), actor) >= counter
    if (seen && !holdsRequest(known, high, low)) return true
  }
  return false
}

function holdsRequest(record: Uint8Array, high: number, low: number): boolean {
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at))
    if (isRequest(record, at, high, low)) return true
  return false
}

function isReplacedTwin(known: RecordState, sibling: Sibling, requests: RecentRequests): boolean {
  const { requestHigh, requestLow } = sibling
  if ((requestHigh | requestLow) === 0) return false
  const place = requests.find(requestHigh, requestLow)
  if (place < 0) return false
  const actor = requests.actorAt(place)
  const counter = requests.counterAt(place)
  if (sibling.actor === actor && sibling.counter === counter) return false
  return (
    covers(known.history, actor, counter) &&
    !known.siblings.some((each) => each.requestHigh === requestHigh && each.requestLow === requestLow)
  )
}
