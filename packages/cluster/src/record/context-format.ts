import { compareStamps } from '../causality/hybrid-clock.js'
import {
  copyEntries,
  readU48,
  readVector,
  vectorEntryBytes,
  vectorFault,
  writeU48,
  writeVector,
} from '../causality/vector-bytes.js'
import { descends, joinVectors, type VersionVector } from '../causality/version-vector.js'
import { RecordError } from './record-error.js'
import { flagsAt, historyAt, historyCountAt, siblingsAt, stampMsAt } from './record-format.js'

/** What a client has seen of a key: see docs/cluster/context-format.md. */
export interface Context {
  history: VersionVector
  /** The latest stamp among what it has seen: a write that overwrites it gets a later one, whatever the clocks say. */
  stampMs: number
  stampLogical: number
}

export const contextMagic = 0xc2
export const sessionMagic = 0xc5
/** Beyond, the oldest two become one. */
const sessionContextsMax = 8

const stampAt = 1
const entriesAt = 9
const vectorAt = 11

export function encodeContext(context: Context): Uint8Array {
  const entries = context.history.length / 2
  const bytes = new Uint8Array(vectorAt + entries * vectorEntryBytes)
  bytes[0] = contextMagic
  writeU48(bytes, stampAt, context.stampMs)
  bytes[stampAt + 6] = context.stampLogical >>> 8
  bytes[stampAt + 7] = context.stampLogical
  bytes[entriesAt] = entries >>> 8
  bytes[entriesAt + 1] = entries
  writeVector(bytes, vectorAt, context.history)
  return bytes
}

/** The context of one who has seen the record; its latest sibling is at that offset. The history is the same bytes in both. */
export function encodeContextOf(record: Uint8Array, latestSibling: number): Uint8Array {
  const vectorEnd = siblingsAt(record)
  const bytes = Buffer.allocUnsafe(vectorAt + vectorEnd - historyAt)
  bytes[0] = contextMagic
  copyEntries(record, latestSibling + stampMsAt, latestSibling + flagsAt, bytes, stampAt)
  copyEntries(record, historyCountAt, historyCountAt + 2, bytes, entriesAt)
  copyEntries(record, historyAt, vectorEnd, bytes, vectorAt)
  return bytes
}

/** Has the context's owner seen just what is in the record, the usual case? It then is a whole context. Nothing is decoded. */
export function hasSeenRecord(context: Uint8Array, record: Uint8Array): boolean {
  const vectorEnd = siblingsAt(record)
  if (context[0] !== contextMagic || context.length !== vectorAt + vectorEnd - historyAt) return false
  if (context[entriesAt] !== record[historyCountAt] || context[entriesAt + 1] !== record[historyCountAt + 1])
    return false
  for (let i = historyAt, j = vectorAt; i < vectorEnd; i++, j++) if (record[i] !== context[j]) return false
  return true
}

/** Throws CASKADE_BAD_CONTEXT for bytes that are no context. */
export function decodeContext(bytes: Uint8Array): Context {
  const entries = ((bytes[entriesAt] ?? 0) << 8) | (bytes[entriesAt + 1] ?? 0)
  if (bytes[0] !== contextMagic || bytes.length !== vectorAt + entries * vectorEntryBytes)
    throw badContext(`${bytes.length} bytes that do not have its form`)
  const fault = vectorFault(bytes, vectorAt, entries)
  if (fault !== undefined) throw badContext(`it has ${fault}`)
  return {
    history: readVector(bytes, vectorAt, entries),
    stampMs: readU48(bytes, stampAt),
    stampLogical: (bytes[stampAt + 6]! << 8) | bytes[stampAt + 7]!,
  }
}

/**
 * What one who has seen both has seen: the context of a session, whose operations may go through nodes that do not know of each
 * other's. Not for a write: it would replace values that were never told together. They stay apart unless one knows all that the other does: a session that
 * goes on when its key was deleted, collected and written again knows two histories, and of the first only the stamp tells that it is over.
 */
export function joinContexts(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a
  const contexts: Context[] = []
  for (const each of [...decodeSession(a), ...decodeSession(b)]) add(contexts, each)
  contexts.sort((one, other) => compareStamps(one.stampMs, one.stampLogical, other.stampMs, other.stampLogical))
  while (contexts.length > sessionContextsMax) contexts.splice(0, 2, joined(contexts[0]!, contexts[1]!))
  if (contexts.length === 1) return encodeContext(contexts[0]!)
  return Buffer.concat([Uint8Array.of(sessionMagic, contexts.length), ...contexts.map(encodeContext)])
}

/** One that knows no more than another is left out; the one that stays has the later stamp. */
function add(contexts: Context[], more: Context): void {
  const at = contexts.findIndex(({ history }) => descends(history, more.history) || descends(more.history, history))
  if (at < 0) contexts.push(more)
  else add(contexts, joined(contexts.splice(at, 1)[0]!, more))
}

function joined(a: Context, b: Context): Context {
  const isLater = compareStamps(a.stampMs, a.stampLogical, b.stampMs, b.stampLogical) >= 0
  return { ...(isLater ? a : b), history: joinVectors(a.history, b.history) }
}

/** What `joinContexts` makes, or a single context. Throws CASKADE_BAD_CONTEXT for other bytes. */
export function decodeSession(bytes: Uint8Array): Context[] {
  if (bytes[0] !== sessionMagic) return [decodeContext(bytes)]
  const contexts: Context[] = []
  let at = 2
  for (let left = bytes[1] ?? 0; left > 0; left--) {
    const entries = ((bytes[at + entriesAt] ?? 0) << 8) | (bytes[at + entriesAt + 1] ?? 0)
    const end = at + vectorAt + entries * vectorEntryBytes
    contexts.push(decodeContext(bytes.subarray(at, end)))
    at = end
  }
  if (at !== bytes.length || contexts.length < 2) throw badContext(`${bytes.length} bytes that do not have its form`)
  return contexts
}

const badContext = (why: string) =>
  new RecordError(
    'CASKADE_BAD_CONTEXT',
    `not a context of this cluster (${why}): give back the one that a read answered`,
  )
