import { readU48, writeU48 } from '../causality/vector-bytes.js'
import type { MemberNumber } from '../node/identity.js'
import type { ReplicaStore } from '../store/replica-store.js'

const prefix = 'hint/'
const ageBytes = 6
const pageSize = 256

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
const targetPrefix = (target: MemberNumber) => `${prefix}${hex(target, 6)}/`

export interface Hint {
  readonly name: string
  readonly target: MemberNumber
  readonly partition: number
  readonly key: Uint8Array
  /** Milliseconds since the epoch. */
  readonly keptAtMs: number
  readonly record: Uint8Array
}

/**
 * Records kept for members that are away, in the node's own store (docs/cluster/hints.md). One per target and key: a later one
 * holds the earlier. Bounded by bytes, which a scan counts when the node starts.
 */
export class HintStore {
  /** Of names and records. */
  bytes = 0
  /** Members that hints are kept for, with how many. */
  readonly targets = new Map<MemberNumber, number>()
  /** Partitions that hints are of, with how many. */
  readonly partitions = new Map<number, number>()
  readonly #store: ReplicaStore
  readonly #bytesMax: number

  constructor(store: ReplicaStore, bytesMax: number) {
    this.#store = store
    this.#bytesMax = bytesMax
    let after: string | undefined
    for (;;) {
      const page = store.scanMeta(prefix, after, pageSize)
      for (const { name, bytes } of page)
        this.#count(targetOf(name), partitionOfName(name), name.length + bytes.length, 1)
      if (page.length < pageSize) return
      after = page[page.length - 1]!.name
    }
  }

  get(target: MemberNumber, partition: number, key: Uint8Array): Uint8Array | undefined {
    return this.#store.getMeta(nameOf(target, partition, key))?.subarray(ageBytes)
  }

  /**
   * In place of what is kept for the same key, which the caller has merged in. False: no room, nothing is kept.
   *
   * @throws the store's errors
   */
  put(target: MemberNumber, partition: number, key: Uint8Array, record: Uint8Array, wallMs: number): boolean {
    const name = nameOf(target, partition, key)
    const before = this.#store.getMeta(name)
    const added = record.length + ageBytes + (before === undefined ? name.length : -before.length)
    if (this.bytes + added > this.#bytesMax) return false
    const bytes = Buffer.allocUnsafe(ageBytes + record.length)
    // The oldest part decides how old the hint is.
    if (before === undefined) writeU48(bytes, 0, wallMs)
    else bytes.set(before.subarray(0, ageBytes))
    bytes.set(record, ageBytes)
    this.#store.putMeta(name, bytes)
    this.#count(target, partition, added, before === undefined ? 1 : 0)
    return true
  }

  /** Up to `limit` hints for a target, in order of their names, after one of them. */
  page(target: MemberNumber, after: string | undefined, limit: number): Hint[] {
    return this.#store.scanMeta(targetPrefix(target), after, limit).map(({ name, bytes }) => ({
      name,
      target,
      partition: partitionOfName(name),
      key: Buffer.from(name.slice(prefix.length + 12), 'hex'),
      keptAtMs: readU48(bytes, 0),
      record: bytes.subarray(ageBytes),
    }))
  }

  /** Whether exactly this record is still what is kept. */
  holds(hint: Hint): boolean {
    const kept = this.#store.getMeta(hint.name)
    return kept !== undefined && Buffer.compare(kept.subarray(ageBytes), hint.record) === 0
  }

  /** Physically: the caller has raised the minting epoch if it must. */
  remove(hint: Hint): void {
    const kept = this.#store.getMeta(hint.name)
    if (kept === undefined) return
    this.#store.removeMeta(hint.name)
    this.#count(hint.target, hint.partition, -hint.name.length - kept.length, -1)
  }

  #count(target: MemberNumber, partition: number, bytes: number, hints: number): void {
    this.bytes += bytes
    add(this.targets, target, hints)
    add(this.partitions, partition, hints)
  }
}

function add(counts: Map<number, number>, of: number, more: number): void {
  const left = (counts.get(of) ?? 0) + more
  if (left > 0) counts.set(of, left)
  else counts.delete(of)
}

const targetOf = (name: string): MemberNumber => Number.parseInt(name.slice(prefix.length, prefix.length + 6), 16)

const partitionOfName = (name: string): number => Number.parseInt(name.slice(prefix.length + 7, prefix.length + 11), 16)

const nameOf = (target: MemberNumber, partition: number, key: Uint8Array) =>
  `${targetPrefix(target)}${hex(partition, 4)}/${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')}`
