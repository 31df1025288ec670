import { CaskadeError } from '@caskade/engine'
import { ReplyTooLargeError } from './reply-writer.js'
import type { RespNode } from './session.js'

/** The error reply for what a command threw: what is wrong, and what to do. */
export function storeFailure(node: RespNode, command: string, error: unknown): string {
  if (error instanceof ReplyTooLargeError)
    return `ERR the reply is larger than the limit of ${node.limits.outputBytesMax} bytes of output per client: ask for less at a time`
  if (error instanceof CaskadeError) {
    switch (error.code) {
      case 'CASKADE_DISK_FULL':
        return `MISCONF The disk is full, so writes are refused; reads and deletes go on. Free space, then try again. (${error.message})`
      case 'CASKADE_READ_ONLY':
        return `MISCONF The store is read-only, so writes are refused; reads go on. See the server's log for the cause, then restart it. (${error.message})`
      default:
        node.onEvent('error', 'a command failed', { command, code: error.code, reason: error.message })
        return `ERR ${error.code} ${error.message}`
    }
  }
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof RangeError) return `ERR ${reason}`
  node.onEvent('error', 'a command failed unexpectedly', {
    command,
    reason,
    stack: error instanceof Error ? error.stack : undefined,
  })
  return `ERR internal error: ${reason}`
}
