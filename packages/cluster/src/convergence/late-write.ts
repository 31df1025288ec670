import type { Bucket } from '../coordination/topology.js'
import type { LocalReplica } from '../replication/local-replica.js'
import { type ReplyStatus, replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { bucketOfKey } from '../replication/stored-key.js'
import { asker, type ReplicateMessage } from '../wire/replication-messages.js'
import { isStampedBy } from './collectable.js'
import type { RepairStamps } from './repair-stamps.js'

/**
 * What to answer to a record that comes too late to be let in; `undefined`: it is to be let in. It is stamped before this node's fence, so that what
 * it tells was in the stores of owners when they were fenced, and has come by now, or was lost with the process that minted it.
 *
 * - A write, or a hint of one, that tells something new is refused: nothing vouches any more that all owners get it.
 * - What is over (`LocalReplica.isOver`) is known, and dropped: a hint that is handed over, or the write-back of a read, which the network may have kept for
 *   any time.
 */
export function lateWrite(
  parts: SharedParts,
  stamps: RepairStamps,
  { partition, key, record, hintFor, asker: from }: ReplicateMessage,
): ReplyStatus | undefined {
  const { local, routes } = parts
  const bucket = routes.bucketNumbered(bucketOfKey(key))!
  if (from !== asker.put) return local.isOver(partition, key, record, bucket) ? replyStatus.ok : undefined
  if (!isStampedBy(record, stamps.fencedMs[partition]!)) return undefined
  return hintFor === 0 && knows(local, partition, key, record, bucket) ? undefined : replyStatus.overloaded
}

function knows(local: LocalReplica, partition: number, key: Uint8Array, record: Uint8Array, bucket: Bucket): boolean {
  if (local.read(partition, key) !== replyStatus.ok) return false
  const own = local.record!
  return local.merge(own, record, bucket) === own
}
