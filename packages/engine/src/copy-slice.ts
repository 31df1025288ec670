/** Copies `source[start, end)` to `target[at]`. A plain loop for keys; above 32 bytes the native copy is faster. */
export function copySlice(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  const length = end - start
  if (length <= 32) for (let i = 0; i < length; i++) target[at + i] = source[start + i]!
  else target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at)
}
