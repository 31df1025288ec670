import type { NodeId } from './identity.js'
import type { Result } from './result.js'

/** Where a node's effects go: the runtime's sockets, or the simulator. Calls must return at once, and not call back into the node. */
export interface NodeSink {
  /** The frame is the receiver's to keep. It may be lost, late or doubled. */
  send(peer: NodeId, frame: Uint8Array): void
  /** The one answer to the request of that id. */
  reply(id: number, result: Result): void
  /** What an operator would want in a log or a counter: rare, never per operation. */
  event(name: string, details: Readonly<Record<string, string | number>>): void
}
