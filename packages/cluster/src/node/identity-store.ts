import { readU32, writeU32 } from '../causality/vector-bytes.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { StoreError } from '../store/store-error.js'
import type { NodeIdentity } from './identity.js'
import { decodeIdentity, encodeIdentity } from './identity-format.js'

const identityName = 'identity'
const bootName = 'boot'
/** As many records of the node's own data as one look takes in. */
const page = 256

/** What a node's disk says of it. `member` and `incarnation` are 0 until the topology has given them. */
export interface StoredIdentity extends NodeIdentity {
  /** Drawn when the disk was empty: a node that lost its data draws another one, and is thereby another member. */
  readonly life: string
}

/** @throws CASKADE_CORRUPTION a node that does not know who it is does not start */
export function storedIdentity(store: ReplicaStore): StoredIdentity | undefined {
  const bytes = store.getMeta(identityName)
  if (bytes === undefined) return undefined
  const identity = decodeIdentity(bytes)
  if (identity === undefined)
    throw new StoreError(
      'CASKADE_CORRUPTION',
      'the identity of this node is of no known format: start it on an empty disk',
    )
  return identity
}

export function storeIdentity(store: ReplicaStore, identity: StoredIdentity): void {
  store.putMeta(identityName, encodeIdentity(identity))
}

/** Counts this start of the process. No frame may leave under the number before it is durable: none may ever be used twice. */
export function countBoot(store: ReplicaStore): number {
  const stored = store.getMeta(bootName)
  const boot = stored === undefined ? 1 : readU32(stored, 0) + 1
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, boot)
  store.putMeta(bootName, bytes)
  return boot
}

/**
 * Empties a disk that turned out to be an old copy, so that the next start is a new life: records whose deletion it has forgotten must not come back.
 * The identity goes last: a crash on the way leaves a node that begins this again.
 */
export function forgetLife(store: ReplicaStore, partitions: number): void {
  for (let partition = 0; partition < partitions; partition++) store.dropPartition(partition)
  for (let names = namesOf(store); names.length > 0; names = namesOf(store))
    for (const name of names) store.removeMeta(name)
  store.removeMeta(identityName)
}

const namesOf = (store: ReplicaStore): string[] =>
  store
    .scanMeta('', undefined, page)
    .map(({ name }) => name)
    .filter((name) => name !== identityName)
