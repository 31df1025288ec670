/**
 * One store as the benchmarks drive it. A method that a store lacks is absent: the workload then says so, or uses the next
 * best (`getMany` where there is no synchronous get). Puts are acknowledged, by return or promise, when they survive
 * `kill -9`; none needs to survive a power cut.
 */
export interface PeerStore {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown> | undefined
  putBatch(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<unknown> | undefined
  /** After a put: the store asks its writer to wait so long. The wait counts as the put's. */
  pressure?(): Promise<unknown> | undefined
  /** An owned copy. */
  get?(key: Uint8Array): Uint8Array | undefined
  /** Valid until the next call. Returns the value's length, or -1 when there is none. */
  getBorrowed?(key: Uint8Array): number
  getMany?(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null | undefined)[]>
  /** Reads every record, in order where the store has one; returns their number. */
  scan(): Promise<number>
  /** Reads up to `count` records in order, from `key` on; returns their number. */
  scanFrom?(key: Uint8Array, count: number): Promise<number> | number
  /** Finishes background work, and makes the files as compact as the store can. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** A store opened so that an acknowledged put survives a power cut. */
export interface DurablePeerStore {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>
  close(): Promise<void>
}

export interface Peer {
  /** How it is set up, for the report. */
  settings: string
  open(directory: string): Promise<PeerStore>
  /** Absent: the store has no such write. */
  openDurable?(directory: string): Promise<DurablePeerStore>
}
