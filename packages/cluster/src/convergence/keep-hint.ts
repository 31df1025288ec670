import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { LocalReplica } from '../replication/local-replica.js'
import { type ReplyStatus, replyStatus } from '../replication/reply-status.js'
import { storeErrorCode } from '../store/store-error.js'
import type { HintStore } from './hint-store.js'

/** Keeps a record for a member that is away, merged with what is kept for it already. */
export function keepHint(
  hints: HintStore,
  local: LocalReplica,
  target: MemberNumber,
  partition: number,
  key: Uint8Array,
  record: Uint8Array,
  bucket: Bucket,
  wallMs: number,
): ReplyStatus {
  try {
    const before = hints.get(target, partition, key)
    const merged = before === undefined ? record : local.merge(before, record, bucket)
    if (merged === before) return replyStatus.ok
    return hints.put(target, partition, key, merged, wallMs) ? replyStatus.ok : replyStatus.overloaded
  } catch (error) {
    const code = storeErrorCode(error)
    if (code === undefined) throw error
    return code === 'CASKADE_DISK_FULL' ? replyStatus.diskFull : replyStatus.readOnly
  }
}
