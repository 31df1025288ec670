import type { Now } from '../node/now.js'
import type { Topology } from './topology.js'

/**
 * Where the topology is agreed on: one value, changed by compare-and-set on its epoch. Linearizable: of all values with one epoch at
 * most one is ever chosen, and a read that began after it was chosen returns it or a later one.
 *
 * A step machine: it answers through the callback, once, now or from a later input. Its bodies: `Proposer`, among the cluster's own voters;
 * an external store such as etcd fits as well (compare on the key's revision).
 */
export interface Register {
  readonly wakeAtMs: number
  onTimer(now: Now): void
  /** The newest value. */
  read(deadlineMs: number, reply: RegisterReply, now: Now): void
  /** Sets `value` if the epoch is still `value.epoch - 1`. */
  compareAndSet(value: Topology, deadlineMs: number, reply: RegisterReply, now: Now): void
}

export interface RegisterReply {
  /** The value read, or set. */
  done(topology: Topology, now: Now): void
  /** This is the newest value: another one has the epoch that was asked for, or a later one. In the latter case the one asked for may lie between. */
  conflict(topology: Topology, now: Now): void
  /** No majority answered in time. With `uncertain`, the value may be set, or may yet be. */
  failed(uncertain: boolean, now: Now): void
}
