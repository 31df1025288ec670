import type { NodeId } from './identity.js'
import type { Now } from './now.js'

/** A module's messages that are not on the path of every operation: membership, coordination, repair, moves. */
export interface ColdReceiver {
  /** `from` is whom the frame came from, who may be no member yet. The body is a view of the frame. @throws MalformedFrameError */
  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void
}

/** Sends a cold message with the next frame; false: no room. With `held`, once everything written so far is durable. */
export type SendCold = (to: NodeId, type: number, body: Uint8Array, held: boolean) => boolean
