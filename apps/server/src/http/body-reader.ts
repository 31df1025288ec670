import type { IncomingMessage } from 'node:http'
import type { ByteBudget } from './byte-budget.js'
import { HttpError } from './http-error.js'

/**
 * Reads a whole body of at most `bytesMax`. The declared length is checked before anything is read; memory is charged to the
 * budget as bytes really come, so that a client cannot reserve what it never sends. `taken` is told of every charge: the caller
 * gives it back when the answer is out.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  budget: ByteBudget,
  taken: (bytes: number) => void,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const stop = (error: Error) => {
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('close', onClose)
      request.off('error', stop)
      request.on('error', () => {})
      request.pause()
      reject(error)
    }
    const tooLarge = (size: number) =>
      stop(new HttpError('CASKADE_TOO_LARGE', `a body of this type has at most ${bytesMax} bytes, not ${size}`))
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > bytesMax) return tooLarge(length)
      if (!budget.take(chunk.length))
        return stop(
          new HttpError('CASKADE_OVERLOADED', 'the node holds as many request bytes as it may: try again in a moment'),
        )
      taken(chunk.length)
      chunks.push(chunk)
    }
    const onEnd = () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length))
    const onClose = () => {
      if (!request.complete)
        stop(new HttpError('CASKADE_BAD_REQUEST', 'the connection ended in the middle of the body'))
    }
    if (declared > bytesMax) return tooLarge(declared)
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('close', onClose)
    request.on('error', stop)
  })
}
