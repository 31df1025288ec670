/**
 * Makes every view of `buffer` zero-length, at once and for good. `false`: this runtime could not, the views still reach the memory.
 *
 * Node 21 has `ArrayBuffer.prototype.transfer`. Node 20 does not, and its `structuredClone` and `postMessage` copy a buffer
 * over foreign memory instead of detaching it. A byte stream does detach it there: the Streams standard has `enqueue`
 * transfer the chunk's buffer, synchronously. The stream then owns the only reference; nobody reads it, and collecting it
 * touches no memory. Rejected: `%ArrayBufferDetach` behind `--allow-natives-syntax`, a flag of the whole process that
 * workers would race for and that a lazy recompilation would miss.
 */
export function detach(buffer: ArrayBuffer): boolean {
  const { transfer } = buffer as { transfer?: (length: number) => ArrayBuffer }
  try {
    if (transfer) transfer.call(buffer, 0)
    else new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(new Uint8Array(buffer)) })
  } catch {
    // Judged by the outcome below.
  }
  return buffer.byteLength === 0
}
