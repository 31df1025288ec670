import type { Level } from '@caskade/cluster'

/** How a bucket settles concurrent writes: see docs/cluster/guarantees.md. */
export type Rule = 'lww' | 'siblings' | 'union'

export interface Bucket {
  readonly name: string
  readonly rule: Rule
  readonly n: number
  /** Answers that a read and a write wait for at the level `quorum`. */
  readonly r: number
  readonly w: number
}

/**
 * `ok`: promised. `uncertain`: it may have happened, may happen yet, or not at all; also everything that got no answer.
 * `failed`: the cluster said that it did not and will not happen.
 */
export type Outcome = 'ok' | 'uncertain' | 'failed'

/** What one client saw of one operation. A batch get is one `get` for each of its keys. */
export interface Operation {
  readonly id: number
  readonly client: number
  readonly kind: 'put' | 'delete' | 'get'
  readonly bucket: Bucket
  readonly key: string
  readonly level: Level
  /** Owners that a read asks and that a write is acknowledged by; `strict`: fallbacks do not count. */
  readonly r: number
  readonly w: number
  readonly strict: boolean
  /** Of a put: unique in the run, and names its key. In a `union` bucket: the element that it adds. Otherwise ''. */
  readonly value: string
  /** Values that the context given with a put or delete stands for: it replaces them. */
  readonly seen: readonly string[]
  /** By the world's clock; Infinity: never. */
  readonly expiresAtMs: number
  readonly beganAtMs: number
  /** Infinity: no answer. */
  endedAtMs: number
  outcome: Outcome
  /** Error code. */
  code: string
  /** What a get returned. */
  values: readonly string[]
  /** Of the winner or of what was written, in milliseconds; writes in one millisecond are told apart by nobody here. */
  timestampMs: number | undefined
  /**
   * More than one owner, or one owner in two lives, may have minted this write: it was tried again by its client or by a
   * node, or a node died meanwhile. Its stamp settles nothing then, and it may come back after it was replaced (see guarantees.md).
   */
  contested: boolean
  /** A node that was asked should have answered by its deadline, and did not. */
  unanswered: boolean
}

/** The copy of one key at one of its owners, when all is quiet. */
export interface ReplicaCopy {
  readonly node: number
  /** Names the bucket as well. */
  readonly key: string
  /** Canonical text of the record; undefined: the owner has none, or one that it cannot read. */
  readonly record: string | undefined
  readonly damaged?: boolean
}

export interface TopologySighting {
  readonly node: number
  readonly epoch: number
  /** Of the whole value. */
  readonly digest: string
}

/** What one who changed the topology saw. */
export interface SeenChange {
  /** The bucket that it was to create, or ''. */
  readonly bucket: string
  readonly beganAtMs: number
  /** Infinity: no answer. */
  endedAtMs: number
  outcome: Outcome
  /** With which it was told to be done. */
  epoch: number
}

/** The topology that a node has when all is quiet. */
export interface FinalTopology {
  readonly node: number
  readonly epoch: number
  readonly buckets: readonly string[]
}

/** All that the checkers judge: plain data, so that a history written by hand is as good as one from a run. */
export interface History {
  /** In the order in which they began. */
  readonly operations: readonly Operation[]
  /** Reads of every key at level `all`, after the faults ended and repair ran. */
  readonly finalReads: readonly Operation[]
  /** Reads and writes after healing and the bound of recovery: each must succeed. */
  readonly probes: readonly Operation[]
  readonly copies: readonly ReplicaCopy[]
  readonly topologies: readonly TopologySighting[]
  readonly changes: readonly SeenChange[]
  readonly finalTopologies: readonly FinalTopology[]
  /** Furthest that any node's wall clock was from the world's, in milliseconds: blurs expiry. */
  readonly clockErrorMaxMs: number
  /** Of any key, nodes whose disk forgot synced data, and which did not know of it: a write that only so many acknowledged may be gone. */
  readonly damagedNodes: number
  /** Nodes whose disk was replaced by an empty one: such a write may be gone, but who has it not is no owner, and is not read from. */
  readonly lostDisks: number
}

export interface Violation {
  readonly checker: string
  readonly message: string
  /** The operations to look at, by id. */
  readonly operations: readonly number[]
}

/** What one checker says of a whole history; `counts` are reported, and are no violations. */
export interface Finding {
  readonly violations: readonly Violation[]
  readonly counts?: Readonly<Record<string, number>>
}

export type Checker = (history: History) => Finding

/** So many disks have lost what was on them: a write that as many owners acknowledged may be gone. It is the same node that both befall. */
export const forgetful = ({ damagedNodes, lostDisks }: Pick<History, 'damagedNodes' | 'lostDisks'>): number =>
  Math.max(damagedNodes, lostDisks)

export const isWrite = ({ kind }: Operation): boolean => kind !== 'get'

/** Every owner set of this read meets every owner set that acknowledged this write. */
export const quorumsMeet = (read: Operation, write: Operation): boolean =>
  read.strict && write.strict && read.r + write.w > read.bucket.n

/** Operations by bucket and key, each list in order. */
export function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const keys = new Map<string, Operation[]>()
  for (const operation of operations) {
    const name = `${operation.bucket.name}/${operation.key}`
    const list = keys.get(name)
    if (list === undefined) keys.set(name, [operation])
    else list.push(operation)
  }
  return keys
}

/**
 * Keys of which the damaged disk held the only copy. Nobody is left to heal it from, and that it is gone may not be said in
 * silence: reads of all owners fail until somebody writes the key.
 */
export function keysBeyondRepair({ copies }: Pick<History, 'copies'>): Set<string> {
  const alive = new Set(copies.filter(({ record }) => record !== undefined).map(({ key }) => key))
  return new Set(copies.filter(({ key, damaged }) => damaged && !alive.has(key)).map(({ key }) => key))
}

/** One operation in a line. */
export function describeOperation(operation: Operation): string {
  const { id, client, kind, bucket, key, level, beganAtMs, endedAtMs, outcome, code, values, seen, value } = operation
  const end = endedAtMs === Number.POSITIVE_INFINITY ? 'never' : endedAtMs.toFixed(1)
  const subject = `${kind} ${bucket.name}/${key}${kind === 'put' ? ` = ${value}` : ''}`
  const expiry = operation.expiresAtMs === Number.POSITIVE_INFINITY ? '' : ` until ${operation.expiresAtMs}`
  const context = seen.length > 0 ? ` replacing ${seen.join(', ')}` : ''
  const result = kind === 'get' && outcome === 'ok' ? `[${values.join(', ')}]` : outcome
  const at = operation.timestampMs === undefined ? '' : ` @${operation.timestampMs}`
  return `#${id} ${beganAtMs.toFixed(1)}-${end} client ${client}: ${subject} (${level})${expiry}${context} -> ${result}${code === '' ? '' : ` ${code}`}${at}`
}
