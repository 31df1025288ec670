import { hex, line } from '../lsm/inspect/inspect-text.js'
import { HintReader, hintEntryBytes, hintHeaderBytes } from './hint-format.js'

/** What a hint says of its data file, and each entry. Throws `CorruptionError` where nothing of it can be believed: it has one checksum. */
export function* inspectHint(bytes: Uint8Array, path: string, number: number): Generator<string> {
  yield line(0, `hint ${number}, ${bytes.length} bytes`)
  const hint = new HintReader(bytes, undefined, path)
  const { owner, summary, count } = hint
  if (owner.number !== number)
    yield line(16, `DAMAGED: it is the hint of data file ${owner.number} under another's name`)
  yield line(12, `of data file ${owner.number}, salt ${hex(owner.salt)}, records up to ${owner.end}, checksum ok`)
  yield line(
    28,
    `${count} records, ${summary.tombstones} of them deletions, sequences ${summary.smallestSequence} to ${summary.largestSequence}`,
  )
  for (let i = 0; i < count; i++) {
    const identity = `${hint.identityHigh(i).toString(16).padStart(4, '0')}${hex(hint.identityLow(i))}`
    const what = `${hint.isTombstone(i) ? 'delete' : 'put'} at ${hint.offset(i)}, ${hint.size(i)} bytes`
    yield line(
      hintHeaderBytes + i * hintEntryBytes,
      `slot ${hint.slot(i)} hash ${hex(hint.hash(i))} identity ${identity}: ${what}, sequence ${hint.sequence(i)}`,
    )
  }
}
