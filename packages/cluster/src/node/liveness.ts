import type { NodeId } from './identity.js'

export type Verdict = 'alive' | 'suspect' | 'dead' | 'left'

/** Whom it is worth asking. A verdict may be wrong: it chooses whom to send to first, never who owns data. */
export interface Liveness {
  of(node: NodeId): Verdict
}

/** Before membership knows better. */
export const everyoneAlive: Liveness = { of: () => 'alive' }
