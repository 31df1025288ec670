import { writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/**
 * Hands `bytes[start, end)` to the kernel at once, as far as it takes them; returns how many it took. Nothing may be queued on
 * the socket. A third of what a small reply costs through the socket is the stream's bookkeeping: this is write(2) alone.
 * Takes nothing where the socket has no descriptor (Windows, a TLS socket, a closed one) or the descriptor does not write:
 * the socket's own `write` then has the last word, and the error.
 */
export function sendNow(socket: Socket, bytes: Uint8Array, start: number, end: number): number {
  // Read anew each time: the number of a closed descriptor may be somebody else's.
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd
  if (fd === undefined || fd < 0) return 0
  try {
    return writeSync(fd, bytes, start, end - start)
  } catch {
    return 0
  }
}
