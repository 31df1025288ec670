/**
 * - `quorum` (default): the bucket's r and w, r + w > n; hints never count; a read sees every write acknowledged before it began.
 * - `all`: every owner. `one`: any one owner.
 * - `eventual`: sloppy: the bucket's w, hints on fallbacks count; reads from any one.
 * - `session`: the bucket's w; a read answers once it descends from `sessionContext`, wherever it finds that.
 */
export type Level = 'one' | 'quorum' | 'all' | 'eventual' | 'session'

/** 64 random bits that name one write through all its retries; both 0: none. */
export interface RequestId {
  readonly high: number
  readonly low: number
}

/** What a write asks of the record it replaces: checked by the owner that mints, on what this owner knows. */
export type Condition = { readonly ifAbsent: true } | { readonly ifVersion: number }

interface Request {
  /** The caller's number of this request: `NodeSink.reply` gives it back, once. */
  readonly id: number
  readonly bucket: string
  readonly level?: Level
  /** Monotonic ms of this node: a request still open then ends, as CASKADE_UNCERTAIN if it might have written. */
  readonly deadlineMs: number
}

export interface GetRequest extends Request {
  readonly type: 'get'
  readonly key: Uint8Array
  /** Instead of the level's. */
  readonly r?: number
  /** For the level `session`: `joinContexts` of all `context`s that the session's writes and session reads of this key returned. */
  readonly sessionContext?: Uint8Array
}

export interface GetManyRequest extends Request {
  readonly type: 'getMany'
  readonly keys: readonly Uint8Array[]
  readonly r?: number
  /** For the level `session`: of each key what `GetRequest.sessionContext` is. */
  readonly sessionContexts?: readonly (Uint8Array | undefined)[]
}

interface Write extends Request {
  readonly key: Uint8Array
  /** From the read that this write replaces; without one the write is concurrent with what is there, unless the rule is lww. */
  readonly context?: Uint8Array
  readonly w?: number
  readonly requestId?: RequestId
  readonly condition?: Condition
}

export interface PutRequest extends Write {
  readonly type: 'put'
  readonly value: Uint8Array
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

export interface DeleteRequest extends Write {
  readonly type: 'delete'
}

/** The request keeps its byte arrays until it is answered: they must not change. */
export type ClientRequest = GetRequest | GetManyRequest | PutRequest | DeleteRequest
