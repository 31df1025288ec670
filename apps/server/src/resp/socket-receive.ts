import type { Socket } from 'node:net'

/** As much as one read takes. */
export const receiveBytes = 64 * 1024

/**
 * Every byte that arrives on `socket`, as `onBytes(bytes, length)`: valid until it returns.
 *
 * Node allocates 64 KiB for each read of an accepted socket and takes it through a stream; `onread`, which reads into one
 * buffer that stays, is only for sockets that connect (nodejs/node#53792). The same switch is set here on an accepted one,
 * from the outside: the fields it needs are looked for, and where a Node version does not have them, plain 'data' events serve.
 * All sockets share the buffer: it is filled and used within one turn.
 */
export function receiveInto(socket: Socket, shared: Buffer, onBytes: (bytes: Buffer, length: number) => void): void {
  const inner = socket as unknown as Record<symbol, unknown> & {
    _handle?: { useUserBuffer?: (buffer: Buffer) => void }
  }
  const symbols = Object.getOwnPropertySymbols(socket)
  const named = (name: string) => symbols.find(({ description }) => description === name)
  const bufferField = named('kBuffer')
  const callbackField = named('kBufferCb')
  const handle = inner._handle
  if (bufferField === undefined || callbackField === undefined || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', (chunk: Buffer) => onBytes(chunk, chunk.length))
    return
  }
  inner[bufferField] = shared
  inner[callbackField] = (length: number, bytes: Buffer) => onBytes(bytes, length)
  handle.useUserBuffer(shared)
  // For 'end': nothing else reaches the stream.
  socket.resume()
}
