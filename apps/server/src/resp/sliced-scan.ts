import { setImmediate } from 'node:timers/promises'
import type { Entry, ScanOptions } from '@caskade/engine'
import type { RespNode } from './session.js'

/** How long a long command may hold the event loop before others get their turn. */
const sliceMs = 5
const entriesPerLook = 64

/** Visits every entry of the scan, as of now, in slices of `sliceMs`; stops when `visit` says `false`. */
export async function scanInSlices(node: RespNode, options: ScanOptions, visit: (entry: Entry) => boolean) {
  const entries = node.store.scan(options)[Symbol.iterator]()
  try {
    let deadline = node.monotonic() + sliceMs
    for (let seen = 1; ; seen++) {
      const next = entries.next()
      if (next.done === true || !visit(next.value)) return
      if (seen % entriesPerLook === 0 && node.monotonic() >= deadline) {
        await setImmediate()
        deadline = node.monotonic() + sliceMs
      }
    }
  } finally {
    entries.return?.()
  }
}
