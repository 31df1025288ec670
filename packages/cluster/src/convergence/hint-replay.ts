import { counterOf } from '../causality/version-vector.js'
import type { MemberNumber } from '../node/identity.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import type { Now } from '../node/now.js'
import { decodeRecord } from '../record/record-format.js'
import { replyStatus } from '../replication/reply-status.js'
import type { Route } from '../replication/route.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { bucketOfKey } from '../replication/stored-key.js'
import { storeErrorCode } from '../store/store-error.js'
import { messageType } from '../wire/message-type.js'
import { asker, fixedBytesMax, type ReplicateReplyMessage, writeReplicate } from '../wire/replication-messages.js'
import type { Hint, HintStore } from './hint-store.js'

const intervalMs = 100
/** Hints on their way at once. */
const windowMax = 64
const pageSize = 32
/** A hint that was not acknowledged by then is sent again. */
const patienceMs = 2000

interface Sent {
  hint: Hint
  to: MemberNumber
  sentAtMs: number
}

/**
 * Hands hints to the members they are kept for, once those live again: so many bytes a second to all together, a window in flight. A
 * hint goes when its target has acknowledged it, i.e. has it durably. For one that is too old any owner will do, from where repair spreads it: it may be the only
 * copy of a write that was acknowledged (`eventual`).
 */
export class HintReplay {
  replayed = 0
  expired = 0
  wakeAtMs = Number.POSITIVE_INFINITY
  readonly #parts: SharedParts
  readonly #hints: HintStore
  readonly #epoch: MintingEpoch
  readonly #window = new Map<number, Sent>()
  readonly #names = new Set<string>()
  /** Where each target's last page ended. */
  readonly #after = new Map<MemberNumber, string>()
  #sequence: number
  #bytesLeft = 0
  readonly #forgetful: boolean

  constructor(parts: SharedParts, hints: HintStore, epoch: MintingEpoch) {
    this.#parts = parts
    this.#hints = hints
    this.#epoch = epoch
    this.#sequence = Math.floor(parts.random() * 2 ** 31)
    this.#forgetful = parts.bugs.has('hint-forgotten-when-sent')
  }

  onTimer(now: Now): void {
    if (this.#hints.targets.size === 0) {
      this.wakeAtMs = Number.POSITIVE_INFINITY
      return
    }
    if (this.wakeAtMs === Number.POSITIVE_INFINITY) this.wakeAtMs = now.monotonicMs + intervalMs
    if (now.monotonicMs < this.wakeAtMs) return
    this.wakeAtMs = now.monotonicMs + intervalMs
    const perTurn = (this.#parts.config.hintReplayBytesPerSecond * intervalMs) / 1000
    // A hint larger than one turn's share is paid for by the turns after it.
    this.#bytesLeft = Math.min(perTurn, this.#bytesLeft + perTurn)
    this.#giveUp(now)
    try {
      for (const target of [...this.#hints.targets.keys()]) this.#replay(target, now)
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
    }
  }

  #giveUp(now: Now): void {
    for (const [number, { hint, sentAtMs }] of this.#window)
      if (now.monotonicMs - sentAtMs >= patienceMs) this.#forget(number, hint)
  }

  #forget(number: number, hint: Hint): void {
    this.#window.delete(number)
    this.#names.delete(hint.name)
  }

  #replay(target: MemberNumber, now: Now): void {
    const page = this.#hints.page(target, this.#after.get(target), pageSize)
    if (page.length < pageSize) this.#after.delete(target)
    for (const hint of page) {
      if (this.#bytesLeft <= 0 || this.#window.size >= windowMax) return
      if (page.length === pageSize) this.#after.set(target, hint.name)
      if (this.#names.has(hint.name)) continue
      this.#send(hint, now)
    }
  }

  #send(hint: Hint, now: Now): void {
    const { routes, peers, outbox, self, local } = this.#parts
    const bucket = routes.bucketNumbered(bucketOfKey(hint.key))
    if (bucket === undefined) return
    const route = routes.route(hint.partition, bucket.n)
    const isOld = hint.keptAtMs + this.#parts.config.hintAgeMaxMs < now.wallMs
    const to = !isOld && route.members.includes(hint.target) ? hint.target : this.#heirOf(route)
    if (to === self) {
      const { partition, key, record } = hint
      const isKept =
        local.isOver(partition, key, record, bucket) ||
        local.absorb(partition, key, record, bucket, false) === replyStatus.ok
      if (isKept && isOld) this.expired++
      if (isKept) this.#remove(hint)
      return
    }
    const peer = to === undefined ? undefined : peers.of(to)
    if (peer === undefined || peers.verdict(peer) === 'dead') return
    const size = fixedBytesMax + hint.key.length + hint.record.length
    const writer = outbox.begin(peer.queue, messageType.replicate, size, false)
    if (writer === undefined) return
    this.#sequence = (this.#sequence + 1) >>> 0
    const { partition, key, record } = hint
    writeReplicate(writer, asker.hints, this.#sequence, 0, route.since, partition, 0, false, key, record)
    outbox.end()
    this.#bytesLeft -= size
    this.#window.set(this.#sequence, { hint, to: peer.member, sentAtMs: now.monotonicMs })
    this.#names.add(hint.name)
    if (this.#forgetful) this.#remove(hint)
  }

  /**
   * Who gets what was kept for a member that owns the partition no more, or has been away for too long: this node, if it is an owner, or any that lives. While the
   * partition moves nobody knows whose copy will stay.
   */
  #heirOf({ members, writeSets }: Route): MemberNumber | undefined {
    const { peers, self } = this.#parts
    if (writeSets.length > 1) return undefined
    if (members.includes(self)) return self
    return members.find((member) => {
      const peer = peers.of(member)
      return peer !== undefined && peers.verdict(peer) !== 'dead'
    })
  }

  onReply(from: MemberNumber, message: ReplicateReplyMessage): void {
    const sent = this.#window.get(message.slot)
    if (sent === undefined || sent.to !== from) return
    this.#forget(message.slot, sent.hint)
    if (message.status !== replyStatus.ok) return
    try {
      // A newer write may have been merged in meanwhile: that goes next time.
      if (!this.#hints.holds(sent.hint)) return
      this.#remove(sent.hint)
      this.replayed++
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
    }
  }

  /** Forgets the hint, and with it dots: those of the own actor must not be minted again. */
  #remove(hint: Hint): void {
    if (this.#forgetsOwnDots(hint)) this.#epoch.raise()
    this.#hints.remove(hint)
  }

  #forgetsOwnDots({ partition, key, record }: Hint): boolean {
    const { actor } = this.#epoch
    const counter = counterOf(decodeRecord(record).history, actor)
    if (counter === 0) return false
    const { local } = this.#parts
    local.read(partition, key)
    return local.record === undefined || counterOf(decodeRecord(local.record).history, actor) < counter
  }
}
