import type { Storage } from '../io/storage.js'
import type { CopyJob, JobResult } from './worker/job.js'

const pieceBytes = 1 << 20

/** Copies the beginning of a file to a new one; it is durable, but for its name, when this returns. */
export function runCopy(storage: Storage, { from, to, bytes }: CopyJob): JobResult {
  const source = storage.open(from)
  try {
    const target = storage.create(to)
    try {
      const piece = new Uint8Array(Math.min(pieceBytes, bytes))
      for (let at = 0; at < bytes; at += piece.length) {
        const length = Math.min(piece.length, bytes - at)
        source.read(piece, 0, length, at)
        target.append(piece.subarray(0, length))
      }
      target.sync()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
  return { type: 'copy' }
}
