import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { majority } from '../replication/quorum.js'
import { type Ballot, compareBallots, noBallot } from './ballot.js'
import type { AcceptedMessage, PromiseMessage } from './coordination-format.js'
import type { Register, RegisterReply } from './register.js'
import type { Member, Topology } from './topology.js'
import { decodeTopology, encodeTopology } from './topology-format.js'

export interface ProposerConfig {
  /** Voters that are silent are asked again after this. */
  readonly resendIntervalMs: number
  /** An attempt that gets no majority is given up after this, and begun anew with a higher ballot. */
  readonly attemptMs: number
  /** Pauses after a lost race: random, up to this at first, or twice what the attempt took, doubling up to the second. */
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
}

export const defaultProposerConfig: ProposerConfig = {
  resendIntervalMs: 300,
  attemptMs: 2000,
  backoffMinMs: 50,
  backoffMaxMs: 3000,
}

/** What a proposer acts through. Calls do not come back before they return. */
export interface ProposerSink {
  prepare(voter: Member, ballot: Ballot): void
  accept(voter: Member, ballot: Ballot, value: Uint8Array): void
  /** Every majority that it takes has accepted it: it is the topology of its epoch. */
  chosen(topology: Topology, now: Now): void
}

type VoterSet = readonly MemberNumber[]

interface Operation {
  /** `undefined`: a read. */
  readonly value: Topology | undefined
  readonly deadlineMs: number
  readonly reply: RegisterReply
  /** The value has left this node: from then on it may be chosen. */
  offered: boolean
}

/** One attempt, under one ballot. */
interface Attempt {
  readonly ballot: Ballot
  readonly base: Topology
  /** A majority of each must promise. */
  sets: VoterSet[]
  readonly promised: Set<MemberNumber>
  /** The newest value that any voter has accepted, as far as it is newer than the base. */
  newest: Topology | undefined
  newestAt: Ballot
  /** In the second phase: what is to be accepted, and by a majority of each of these. */
  proposal: Topology | undefined
  bytes: Uint8Array
  acceptSets: VoterSet[]
  readonly accepted: Set<MemberNumber>
  readonly endsAtMs: number
}

/**
 * The register among voters: CASPaxos (Rystsov 2018), a Paxos whose every attempt changes the value that it finds. Operations of one node
 * go one after the other; nodes race, and the loser backs off.
 *
 * The voters are named by the value itself. A value that changes them must be accepted by a majority of the old ones and of the new ones
 * (both lists are in it), so that a proposer which knows either set meets it; one that is met and not known to be chosen is finished by the
 * same rule before anything is built on it. Of what voters report, the highest epoch counts, then the highest ballot: a voter that was
 * away for some epochs may hold an old value under a high ballot. The argument is in docs/cluster/coordination.md.
 */
export class Proposer implements Register {
  /** Attempts that lost against a higher ballot. */
  races = 0
  readonly #self: { readonly member: MemberNumber; readonly boot: number }
  readonly #config: ProposerConfig
  readonly #random: () => number
  readonly #sink: ProposerSink
  readonly #newVotersOnly: boolean
  /** The newest that is known to be chosen. */
  #base: Topology
  #counter = 0
  readonly #waiting: Operation[] = []
  #attempt: Attempt | undefined
  /** When the next attempt begins, if none is under way. */
  #retryAtMs = 0
  #resendAtMs = 0
  #losses = 0

  /** `boot` tells this process from every other that was this member: see `Ballot`. `newVotersOnly` is a deliberate bug. */
  constructor(
    self: { readonly member: MemberNumber; readonly boot: number },
    base: Topology,
    config: ProposerConfig,
    random: () => number,
    sink: ProposerSink,
    newVotersOnly = false,
  ) {
    this.#newVotersOnly = newVotersOnly
    this.#self = self
    this.#base = base
    this.#config = config
    this.#random = random
    this.#sink = sink
  }

  get wakeAtMs(): number {
    if (this.#waiting.length === 0) return Number.POSITIVE_INFINITY
    const deadlineMs = this.#waiting.reduce((first, each) => Math.min(first, each.deadlineMs), Number.POSITIVE_INFINITY)
    if (this.#attempt === undefined) return Math.min(deadlineMs, this.#retryAtMs)
    return Math.min(deadlineMs, this.#resendAtMs, this.#attempt.endsAtMs)
  }

  read(deadlineMs: number, reply: RegisterReply, now: Now): void {
    this.#enqueue({ value: undefined, deadlineMs, reply, offered: false }, now)
  }

  compareAndSet(value: Topology, deadlineMs: number, reply: RegisterReply, now: Now): void {
    this.#enqueue({ value, deadlineMs, reply, offered: false }, now)
  }

  /** A newer topology has come from elsewhere. An attempt that still asks may ask the wrong voters: it begins anew. */
  learn(topology: Topology, now: Now): void {
    if (topology.epoch <= this.#base.epoch) return
    this.#base = topology
    if (this.#attempt !== undefined && this.#attempt.proposal === undefined) this.#begin(now)
  }

  onPromise(message: PromiseMessage, now: Now): void {
    const attempt = this.#attempt
    if (attempt === undefined || attempt.proposal !== undefined) return
    if (compareBallots(message.ballot, attempt.ballot) !== 0) return
    if (compareBallots(message.promised, attempt.ballot) > 0) {
      this.#lose(message.promised, now)
      return
    }
    if (message.value.length > 0) this.#consider(attempt, decodeTopology(message.value), message.acceptedAt)
    attempt.promised.add(message.voter)
    if (attempt.sets.every((set) => hasMajority(set, attempt.promised))) this.#propose(attempt, now)
  }

  onAccepted(message: AcceptedMessage, now: Now): void {
    const attempt = this.#attempt
    if (attempt?.proposal === undefined || compareBallots(message.ballot, attempt.ballot) !== 0) return
    if (compareBallots(message.promised, attempt.ballot) > 0) {
      this.#lose(message.promised, now)
      return
    }
    attempt.accepted.add(message.voter)
    if (attempt.acceptSets.every((set) => hasMajority(set, attempt.accepted))) this.#choose(attempt.proposal, now)
  }

  onTimer(now: Now): void {
    for (const late of this.#waiting.filter(({ deadlineMs }) => deadlineMs <= now.monotonicMs)) {
      if (late === this.#waiting[0]) this.#attempt = undefined
      this.#waiting.splice(this.#waiting.indexOf(late), 1)
      late.reply.failed(late.offered, now)
    }
    if (this.#waiting.length === 0) {
      this.#forgetRaces()
      return
    }
    const attempt = this.#attempt
    if (attempt === undefined) {
      if (now.monotonicMs >= this.#retryAtMs) this.#begin(now)
    } else if (now.monotonicMs >= attempt.endsAtMs) this.#begin(now)
    else if (now.monotonicMs >= this.#resendAtMs) this.#ask(attempt, now)
  }

  #enqueue(operation: Operation, now: Now): void {
    this.#waiting.push(operation)
    if (this.#waiting.length === 1 && now.monotonicMs >= this.#retryAtMs) this.#begin(now)
  }

  #begin(now: Now): void {
    const attempt: Attempt = {
      ballot: { counter: ++this.#counter, ...this.#self },
      base: this.#base,
      sets: [this.#base.voters],
      promised: new Set(),
      newest: undefined,
      newestAt: noBallot,
      proposal: undefined,
      bytes: new Uint8Array(0),
      acceptSets: [],
      accepted: new Set(),
      endsAtMs: now.monotonicMs + this.#config.attemptMs,
    }
    this.#attempt = attempt
    this.#ask(attempt, now)
  }

  /** Asks whom it has not heard from. */
  #ask(attempt: Attempt, now: Now): void {
    this.#resendAtMs = now.monotonicMs + this.#config.resendIntervalMs
    const { ballot, proposal, bytes } = attempt
    if (proposal === undefined)
      for (const voter of votersOf(attempt, attempt.sets, attempt.promised)) this.#sink.prepare(voter, ballot)
    else
      for (const voter of votersOf(attempt, attempt.acceptSets, attempt.accepted))
        this.#sink.accept(voter, ballot, bytes)
  }

  /** A value that a voter has accepted: if it is the newest seen, those who must have accepted it must be asked, too. */
  #consider(attempt: Attempt, value: Topology, at: Ballot): void {
    if (value.epoch <= attempt.base.epoch) return
    const { newest } = attempt
    const newer =
      newest === undefined ||
      value.epoch > newest.epoch ||
      (value.epoch === newest.epoch && compareBallots(at, attempt.newestAt) > 0)
    if (!newer) return
    attempt.newest = value
    attempt.newestAt = at
    const asked = new Set(attempt.sets.flat())
    attempt.sets = [attempt.base.voters, value.previousVoters, value.voters]
    for (const voter of votersOf(attempt, attempt.sets, asked)) this.#sink.prepare(voter, attempt.ballot)
  }

  #propose(attempt: Attempt, now: Now): void {
    const { value } = this.#waiting[0]!
    const { base, newest } = attempt
    if (newest !== undefined) {
      // Perhaps not chosen: nothing may be built on it before it is.
      attempt.proposal = newest
      attempt.acceptSets = [newest.previousVoters, newest.voters]
    } else if (value !== undefined && value.epoch === base.epoch + 1) {
      attempt.proposal = value
      attempt.acceptSets = this.#newVotersOnly ? [value.voters] : [base.voters, value.voters]
      this.#waiting[0]!.offered = true
    } else {
      attempt.proposal = base
      attempt.acceptSets = [base.voters]
    }
    attempt.bytes = encodeTopology(attempt.proposal)
    this.#ask(attempt, now)
  }

  #choose(topology: Topology, now: Now): void {
    const { value, reply } = this.#waiting[0]!
    this.#attempt = undefined
    this.#losses = 0
    if (topology.epoch > this.#base.epoch) this.#base = topology
    this.#sink.chosen(topology, now)
    if (value !== undefined && topology.epoch < value.epoch) {
      this.#begin(now)
      return
    }
    this.#waiting.shift()
    if (value === undefined || sameTopology(topology, value)) reply.done(topology, now)
    else reply.conflict(topology, now)
    if (this.#waiting.length > 0 && this.#attempt === undefined) this.#begin(now)
  }

  /** Whom nobody waits for races with nobody: who asks next begins with short pauses, at once. */
  #forgetRaces(): void {
    this.#losses = 0
    this.#retryAtMs = 0
  }

  #lose(higher: Ballot, now: Now): void {
    this.races++
    this.#counter = Math.max(this.#counter, higher.counter)
    const { backoffMinMs, backoffMaxMs, attemptMs } = this.#config
    const tookMs = now.monotonicMs - (this.#attempt!.endsAtMs - attemptMs)
    this.#attempt = undefined
    const firstMs = Math.max(backoffMinMs, 2 * tookMs)
    const pauseMaxMs = Math.min(backoffMaxMs, firstMs * 2 ** Math.min(this.#losses++, 16))
    this.#retryAtMs = now.monotonicMs + this.#random() * pauseMaxMs
  }
}

/** Those in any of the sets who have not answered. */
function votersOf({ base, newest }: Attempt, sets: readonly VoterSet[], answered: ReadonlySet<MemberNumber>): Member[] {
  const silent = new Set(sets.flat().filter((voter) => !answered.has(voter)))
  return (newest ?? base).members.filter(({ number }) => silent.has(number))
}

/** Also as a voter gives it back. */
const sameTopology = (a: Topology, b: Topology) =>
  a === b || (a.epoch === b.epoch && Buffer.compare(encodeTopology(a), encodeTopology(b)) === 0)

function hasMajority(set: VoterSet, answered: ReadonlySet<MemberNumber>): boolean {
  let count = 0
  for (const voter of set) if (answered.has(voter)) count++
  return count >= majority(set.length)
}
