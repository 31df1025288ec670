/**
 * The storage port of a node. Synchronous: a call has taken effect when it returns. Whether that survives a crash is a
 * separate question with a separate answer: `ticket` numbers the writes, `durableTicket` says up to which of them the
 * store's durability promise holds. What is not durable is lost as a suffix: never a write without those before it.
 *
 * Every call may throw an error with a code (see `storeErrorCode`): CASKADE_CORRUPTION and CASKADE_IO from reads,
 * CASKADE_DISK_FULL, CASKADE_READ_ONLY and CASKADE_IO from writes, removals included (a log takes room for those too).
 * A write that threw has not taken effect.
 */
export interface ReplicaStore {
  /** An owned copy of the record's bytes. Throws CASKADE_CORRUPTION rather than answer `undefined` for what it cannot read. */
  get(partition: number, key: Uint8Array): Uint8Array | undefined
  /** Keys have 0 to `replicaKeyBytesMax` bytes. The bytes are copied: the caller keeps its buffers. */
  put(partition: number, key: Uint8Array, record: Uint8Array): void
  /** Physically: afterwards nothing is known of the key, its history included. No effect (and no ticket) if it is absent. */
  remove(partition: number, key: Uint8Array): void
  /** Up to `limit` records behind `after`, whether that is there or not (`undefined`: from the first), in the order of this store; owned. */
  scan(partition: number, after: Uint8Array | undefined, limit: number): KeyedRecord[]
  /** Negative, zero or positive as scans of the partition come by `a` before, with or after `b`. It never changes, and is another one in another node's store. */
  compareKeys(partition: number, a: Uint8Array, b: Uint8Array): number
  /**
   * As `scan`, but goes past what cannot be read and says where that was: for whoever rebuilds it. Every record is what `get` answers. Throws
   * CASKADE_IO as ever, and CASKADE_CORRUPTION where the store cannot go past it.
   */
  scanReadable(partition: number, after: Uint8Array | undefined, limit: number): ReadablePage
  /**
   * In one ticket, and all or nothing after a crash: forgets every record of a stretch, damaged or not, and puts these, whose keys are in it.
   */
  replaceStretch(partition: number, stretch: KeyStretch, records: readonly KeyedRecord[]): void
  /** Removes every record of the partition, in one ticket. */
  dropPartition(partition: number): void

  /** What a node knows of itself: identity, minting epoch, acceptor state, topology, hints, repaired-through. Names are ASCII. */
  getMeta(name: string): Uint8Array | undefined
  putMeta(name: string, bytes: Uint8Array): void
  removeMeta(name: string): void
  /** Up to `limit` entries whose names begin with `prefix` and follow `after`, ascending. */
  scanMeta(prefix: string, after: string | undefined, limit: number): NamedBytes[]

  /** Number of the newest write; 0 before the first. */
  readonly ticket: number
  /** Every write up to this one survives what the store's durability promises. Never above `ticket`, never falls. */
  readonly durableTicket: number
  /** Asks for durability of everything so far; `durableTicket` rises at once or later. After a failed sync it never rises again. */
  sync(): void
  /** This open may have lost writes that were not durable: a node then mints under a new epoch. */
  readonly lostUnsynced: boolean
}

export interface KeyedRecord {
  key: Uint8Array
  record: Uint8Array
}

/** The keys of a partition between two, bytewise: whatever order the store has. */
export interface KeyStretch {
  /** The first that may be in it. */
  readonly from: Uint8Array
  /** The first behind it; `undefined`: it reaches to the last of the partition. */
  readonly to: Uint8Array | undefined
}

export interface ReadablePage {
  readonly records: KeyedRecord[]
  /** Keys of which there are, or may be, records that cannot be read: all that this page passed, and maybe more. */
  readonly damaged: KeyStretch[]
  /** The last key looked at: where to go on; `undefined`: nothing follows. */
  readonly upTo: Uint8Array | undefined
}

export interface NamedBytes {
  name: string
  bytes: Uint8Array
}

/** Longest key in bytes: some less than the engine's, for the partition. */
export const replicaKeyBytesMax = 65_530
