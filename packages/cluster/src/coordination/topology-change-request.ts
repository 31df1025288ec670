import type { ChangeRefusalCode } from './change-outcome.js'
import type { ChangeId } from './topology.js'
import type { TopologyChange } from './topology-change.js'

/** What an administrator, or a machine of the node, asks of the cluster. */
export interface TopologyChangeRequest {
  /** The caller's number of this request: the reply has it, once. */
  readonly id: number
  readonly change: TopologyChange
  /** The same for every retry of one change, through whatever node; absent: drawn, for one try. */
  readonly changeId?: ChangeId
  /** Monotonic ms of this node. */
  readonly deadlineMs: number
}

/**
 * - CASKADE_UNCERTAIN: the change may be made, or may yet. Retry with the same change id.
 * - CASKADE_UNAVAILABLE: no majority of voters answers, or the node is no member yet. The change was not made.
 * - CASKADE_OVERLOADED: too many changes wait. The change was not made.
 */
export type ChangeResult =
  | { readonly status: 'ok'; readonly epoch: number }
  | {
      readonly status: 'error'
      readonly code: ChangeRefusalCode | 'CASKADE_UNCERTAIN' | 'CASKADE_UNAVAILABLE' | 'CASKADE_OVERLOADED'
      readonly message: string
    }
