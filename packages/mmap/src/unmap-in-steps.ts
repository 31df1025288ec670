import type { Native } from './native.js'

/** A multiple of every page size. */
const stepBytes = 4 * 1024 * 1024

interface Range {
  readonly calls: Native
  base: number
  extent: number
}

const waiting: Range[] = []

/** Unmaps a range that no view reaches any more: a piece in each turn of the event loop, one range after the other. */
export function unmapInSteps(calls: Native, base: number, extent: number): void {
  if (waiting.push({ calls, base, extent }) === 1) setImmediate(step).unref()
}

function step(): void {
  const range = waiting[0]!
  const bytes = Math.min(range.extent, stepBytes)
  range.calls.munmap(range.base, bytes)
  range.base += bytes
  range.extent -= bytes
  if (range.extent === 0) waiting.shift()
  if (waiting.length > 0) setImmediate(step).unref()
}
