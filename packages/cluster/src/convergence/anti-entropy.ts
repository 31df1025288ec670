import type { SendCold } from '../node/cold-messages.js'
import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Now } from '../node/now.js'
import type { SharedParts } from '../replication/shared-parts.js'
import type { PartitionTrees } from './partition-trees.js'
import { type OnDamaged, type PullFrom, PullPass } from './pull-pass.js'
import { decodeCompared, decodeFetched, decodeListed, type PullHeader, repairType } from './repair-format.js'

/** Passes of this node at the same time; urgent ones have as many places again, which nothing else takes. */
const passesMax = 4
const urgentPassesMax = 2 * passesMax
/** Partitions whose turn it is wait until no more than this are queued. */
const queuedMax = 64
const lookEveryMs = 100
/** How much may be pulled at once after a quiet time. */
const burstMs = 100

/** Some pulls of one partition that belong together. */
interface Goal {
  readonly partition: number
  readonly since: number
  readonly isUrgent: boolean
  readonly onDamaged: OnDamaged | undefined
  readonly queued: PullFrom[]
  left: number
  readonly done: PullDone
}

/** `unreadable`: whom it failed for, since it cannot read its own. */
export type PullDone = (isComplete: boolean, now: Now, unreadable: MemberNumber | undefined) => void

export interface PullOptions {
  /** Before all that is not. */
  readonly isUrgent?: boolean
  readonly onDamaged?: OnDamaged
}

/**
 * Pulls from the other owners of each partition within a period, and when asked to, so many bytes a second. Who cannot be reached is left out,
 * until the next time. After Dynamo's anti-entropy; state in memory alone, since a pass that is cut off leaves nothing behind but what it pulled.
 */
export class AntiEntropy {
  /** Ended passes, and bytes of answers. */
  passes = 0
  failures = 0
  bytes = 0
  wakeAtMs = 0
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #send: SendCold
  readonly #goals: Goal[] = []
  readonly #running: { pass: PullPass; goal: Goal }[] = []
  /** By partition: when it is to be compared at the latest. */
  readonly #dueAtMs: Float64Array
  #looksAtMs = 0
  #asks: number
  #allowance = 0
  #refilledAtMs = 0

  constructor(parts: SharedParts, trees: PartitionTrees, send: SendCold) {
    this.#parts = parts
    this.#trees = trees
    this.#send = send
    this.#dueAtMs = new Float64Array(parts.routes.topology.partitions).fill(Number.NaN)
    this.#asks = Math.floor(parts.random() * 2 ** 31)
  }

  /** Pulls everything that the given ones have now. `done` hears whether all of it came, once, later. */
  pull(partition: number, from: readonly PullFrom[], done: PullDone, options: PullOptions = {}): void {
    const { isUrgent = false, onDamaged } = options
    const since = this.#sinceOf(partition)
    const goal: Goal = { partition, since, isUrgent, onDamaged, queued: [...from], left: from.length, done }
    const firstOther = isUrgent ? this.#goals.findIndex((each) => !each.isUrgent) : -1
    this.#goals.splice(firstOther < 0 ? this.#goals.length : firstOther, 0, goal)
    this.wakeAtMs = 0
  }

  /** All other owners, for the keys that this node owns with them. */
  othersOf(partition: number): PullFrom[] {
    const { routes, self } = this.#parts
    const from: PullFrom[] = []
    for (const n of new Set(routes.topology.buckets.map((bucket) => bucket.n))) {
      const { members } = routes.route(partition, n)
      if (members.includes(self)) for (const member of members) if (member !== self) from.push({ partition, n, member })
    }
    return from
  }

  onTimer(now: Now): void {
    if (now.monotonicMs < this.wakeAtMs) return
    this.#refill(now)
    this.#look(now)
    this.#begin(now)
    for (const { pass } of this.#running) this.#ask(pass, now)
    this.#end(now)
    this.wakeAtMs = this.#nextWakeMs(now)
  }

  /** An answer; false: of something else. */
  receive(type: number, body: Uint8Array, now: Now): boolean {
    switch (type) {
      case repairType.compared: {
        const message = decodeCompared(body)
        this.#passOf(message)?.onCompared(message, now)
        break
      }
      case repairType.listed: {
        const message = decodeListed(body)
        this.#passOf(message)?.onListed(message, now)
        break
      }
      case repairType.fetched: {
        const message = decodeFetched(body)
        this.#passOf(message)?.onFetched(message, now)
        break
      }
      default:
        return false
    }
    this.bytes += body.length
    this.#allowance -= body.length
    this.wakeAtMs = 0
    return true
  }

  /** Pulls of partitions whose owners have changed have failed. */
  adopt(): void {
    this.wakeAtMs = 0
  }

  /** The partition has just been compared: its turn comes again in a period. */
  #isCompared(partition: number, now: Now): void {
    this.#dueAtMs[partition] = now.monotonicMs + this.#parts.config.repairIntervalMs
  }

  /** Queues the partitions whose turn it is. */
  #look(now: Now): void {
    const { repairIntervalMs } = this.#parts.config
    if (now.monotonicMs < this.#looksAtMs || repairIntervalMs === Number.POSITIVE_INFINITY) return
    this.#looksAtMs = now.monotonicMs + lookEveryMs
    const { topology } = this.#parts.routes
    for (let partition = 0; partition < topology.partitions && this.#goals.length < queuedMax; partition++) {
      if (Number.isNaN(this.#dueAtMs[partition]))
        this.#dueAtMs[partition] = now.monotonicMs + this.#parts.random() * repairIntervalMs
      if (now.monotonicMs < this.#dueAtMs[partition]!) continue
      this.#isCompared(partition, now)
      // While it moves, those who move it see to that.
      if (topology.moves.some((move) => move.partition === partition)) continue
      const living = this.othersOf(partition).filter(({ member }) => this.#lives(member))
      if (living.length > 0) this.pull(partition, living, () => {})
    }
  }

  #lives(member: number): boolean {
    const { peers } = this.#parts
    const peer = peers.of(member)
    return peer !== undefined && peers.verdict(peer) !== 'dead'
  }

  #begin(now: Now): void {
    for (const goal of [...this.#goals]) {
      if (goal.since !== this.#sinceOf(goal.partition)) this.#drop(goal, false, now)
      while (this.#hasRoom(goal) && goal.queued.length > 0) {
        const from = goal.queued.shift()!
        this.#running.push({ pass: new PullPass(this.#parts, this.#trees, from, goal.since, goal.onDamaged), goal })
      }
      if (goal.left === 0) this.#drop(goal, true, now)
    }
  }

  #hasRoom({ isUrgent }: Goal): boolean {
    return this.#running.length < (isUrgent ? urgentPassesMax : passesMax)
  }

  /** The end of a goal, and of what it has under way. */
  #drop(goal: Goal, isComplete: boolean, now: Now, unreadable?: MemberNumber): void {
    const at = this.#goals.indexOf(goal)
    if (at < 0) return
    this.#goals.splice(at, 1)
    goal.queued.length = 0
    for (const each of [...this.#running]) if (each.goal === goal) this.#running.splice(this.#running.indexOf(each), 1)
    if (isComplete) this.#isCompared(goal.partition, now)
    goal.done(isComplete, now, unreadable)
  }

  #ask(pass: PullPass, now: Now): void {
    if (this.#allowance <= 0) return
    this.#asks = (this.#asks % 0xffff_ffff) + 1
    const question = pass.next(this.#asks, now)
    const id = this.#idOf(pass.from.member)
    if (question !== undefined && id !== undefined) this.#send(id, question.type, question.body, false)
  }

  #idOf(member: number): NodeId | undefined {
    return this.#parts.peers.of(member)?.queue.id
  }

  #end(now: Now): void {
    for (const { pass, goal } of [...this.#running]) {
      if (pass.outcome === 'running') continue
      const at = this.#running.findIndex((each) => each.pass === pass)
      if (at < 0) continue
      this.#running.splice(at, 1)
      if (pass.outcome === 'complete') {
        this.passes++
        if (--goal.left === 0) this.#drop(goal, true, now)
      } else {
        this.failures++
        this.#drop(goal, false, now, pass.outcome === 'unreadable' ? pass.from.member : undefined)
      }
    }
  }

  #passOf({ ask, from, to }: PullHeader): PullPass | undefined {
    if (to !== this.#parts.self) return undefined
    return this.#running.find(({ pass }) => pass.ask === ask && pass.from.member === from)?.pass
  }

  #refill(now: Now): void {
    const { repairBytesPerSecond } = this.#parts.config
    const elapsedMs = Math.min(burstMs, now.monotonicMs - this.#refilledAtMs)
    const most = (repairBytesPerSecond * burstMs) / 1000
    this.#allowance = Math.min(most, this.#allowance + (repairBytesPerSecond * elapsedMs) / 1000)
    this.#refilledAtMs = now.monotonicMs
  }

  #nextWakeMs(now: Now): number {
    const soonMs = now.monotonicMs + 1
    if (this.#goals.some((goal) => goal.left === 0 || (goal.queued.length > 0 && this.#hasRoom(goal)))) return soonMs
    let wakeAtMs =
      this.#parts.config.repairIntervalMs === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#looksAtMs
    for (const { pass } of this.#running)
      wakeAtMs = Math.min(wakeAtMs, this.#allowance > 0 ? Math.max(soonMs, pass.wakeAtMs) : soonMs)
    return wakeAtMs
  }

  #sinceOf(partition: number): number {
    return this.#parts.routes.topology.changedAt?.[partition] ?? 1
  }
}
