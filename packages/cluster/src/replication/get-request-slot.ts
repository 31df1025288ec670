import type { Bucket } from '../coordination/topology.js'
import type { KeyResult } from '../node/result.js'
import type { Context } from '../record/context-format.js'
import { RequestSlot } from './request-table.js'
import type { Route } from './route.js'

/** A getMany: its keys are requests of their own. */
export interface Batch {
  readonly id: number
  readonly results: KeyResult[]
  left: number
}

const noKey = new Uint8Array(0)

/** One read. Masks have a bit per `route.members`. */
export class GetSlot extends RequestSlot {
  id = 0
  /** Instead of a client, a batch waits: for result number `position`. */
  batch: Batch | undefined
  position = 0
  bucket!: Bucket
  key: Uint8Array = noKey
  partition = 0
  route!: Route
  r = 0
  deadlineMs = 0
  /** The level `session`: what the answer must descend from. */
  session: readonly Context[] | undefined
  /** The latest that an owner has told: all of them hold what is stamped by then. */
  heldMs = 0

  asked = 0
  answered = 0
  /** Asked, and will not answer usefully: full, damaged, cut off. */
  failed = 0
  /** Of those, replicas whose own record is unreadable. */
  damaged = 0
  /** By member: what it answered. Views of frames, alive as long as the request. */
  readonly records: (Uint8Array | undefined)[] = []
  readonly askedAtMs: number[] = []
  /** The own answer counts once this ticket is durable; 0: nothing waits. */
  localTicket = 0
  hedgeDelayMs = 0

  /** Set while it writes back: the merge of all answers. */
  merged: Uint8Array | undefined
  /** Who has `merged`, for certain. */
  holders = 0
  /** Own write of `merged`: it holds once this ticket is durable. */
  ownHoldTicket = 0

  reset(route: Route): void {
    this.route = route
    this.asked = 0
    this.answered = 0
    this.failed = 0
    this.damaged = 0
    this.heldMs = 0
    this.#forgetRecords()
    this.localTicket = 0
    this.merged = undefined
    this.holders = 0
    this.ownHoldTicket = 0
  }

  /** Lets go of what the garbage collector should have. */
  clear(): void {
    this.batch = undefined
    this.session = undefined
    this.key = noKey
    this.#forgetRecords()
    this.merged = undefined
  }

  /** Cheaper than a new length. */
  #forgetRecords(): void {
    for (let i = 0; i < this.records.length; i++) this.records[i] = undefined
  }
}
