/** Limits and times of one node. All are bounds on memory or waiting; none is a promise. */
export interface NodeConfig {
  /** Client requests and forwarded writes that may wait at once; beyond, CASKADE_OVERLOADED. */
  readonly requestsInFlightMax: number
  /** Bytes that may wait for one peer; messages beyond are dropped, as a network would. */
  readonly peerBytesMax: number
  /** Keys of one getMany. */
  readonly batchKeysMax: number
  /** A replica that does not answer is asked again, or another one, after the p95 of what is usual, within these bounds. */
  readonly hedgeDelayMinMs: number
  readonly hedgeDelayMaxMs: number
  /** A write that is not acknowledged yet is sent again to those that are silent, with growing pauses. */
  readonly resendIntervalMs: number
  /** Hints this node keeps for others: by age and by bytes. Beyond, repair has to do it. */
  readonly hintAgeMaxMs: number
  readonly hintBytesMax: number
  /** Hint bytes replayed per second, to all peers together. */
  readonly hintReplayBytesPerSecond: number
  /** Every pair of owners compares each partition within this time, if both live. Infinity: never. */
  readonly repairIntervalMs: number
  /** Bytes of answers that this node pulls per second to compare and to repair, and to take over partitions. */
  readonly repairBytesPerSecond: number
  /** What was deleted or has expired is kept so long at least. Writes that are longer on their way than this are refused. */
  readonly tombstoneGraceMs: number
  /** Whether this node may propose the steps of moves; if no node may, an administrator does. */
  readonly drivesMoves: boolean
  /** Siblings of one key; beyond, the oldest are resolved by lww, and counted. */
  readonly siblingsMax: number
  /** Remote stamps further ahead than this do not move the clock. */
  readonly clockSkewMaxMs: number
}

export const defaultNodeConfig: NodeConfig = {
  requestsInFlightMax: 8192,
  peerBytesMax: 16 << 20,
  batchKeysMax: 1024,
  hedgeDelayMinMs: 2,
  hedgeDelayMaxMs: 200,
  resendIntervalMs: 200,
  hintAgeMaxMs: 3 * 3600 * 1000,
  hintBytesMax: 256 << 20,
  hintReplayBytesPerSecond: 8 << 20,
  repairIntervalMs: 600_000,
  repairBytesPerSecond: 16 << 20,
  tombstoneGraceMs: 60_000,
  drivesMoves: true,
  siblingsMax: 32,
  clockSkewMaxMs: 5000,
}
