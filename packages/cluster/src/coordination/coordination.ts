import type { ColdReceiver, SendCold } from '../node/cold-messages.js'
import type { DeliberateBug } from '../node/deliberate-bugs.js'
import type { NodeId, NodeIdentity } from '../node/identity.js'
import type { NodeSink } from '../node/node-sink.js'
import type { Now } from '../node/now.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { Acceptor } from './acceptor.js'
import { ChangeRun } from './change-run.js'
import {
  coordinationType,
  decodeAccept,
  decodeAccepted,
  decodeJoin,
  decodePrepare,
  decodePromise,
  encodeAccept,
  encodeAccepted,
  encodeJoinRefused,
  encodePrepare,
  encodePromise,
} from './coordination-format.js'
import { newestIncarnation } from './member-changes.js'
import { Proposer, type ProposerConfig, type ProposerSink } from './proposer.js'
import type { RegisterReply } from './register.js'
import type { ChangeId, Member, Topology } from './topology.js'
import type { TopologyChange } from './topology-change.js'
import type { ChangeResult } from './topology-change-request.js'
import { decodeTopology } from './topology-format.js'
import { TopologySpread } from './topology-spread.js'

/** Changes of one node that wait for their turn. */
const changesMax = 256
/** A join that another node has asked for is given up after this; that node asks again. */
const joinMs = 10_000

export interface CoordinationParts {
  readonly identity: NodeIdentity
  /** Of this process: durable, and never had before. */
  readonly boot: number
  readonly topology: Topology
  readonly store: ReplicaStore
  readonly send: SendCold
  readonly sink: NodeSink
  readonly random: () => number
  readonly config: ProposerConfig
  readonly bugs: ReadonlySet<DeliberateBug>
  /** Told of each newer topology, in order. */
  readonly adopt: (topology: Topology, now: Now) => void
}

/** A voter that has accepted a topology and hears no more of it asks after so long, at most twice that. */
const learnMs = 3000

/** What is read is learnt on the way. */
const ignored: RegisterReply = { done() {}, conflict() {}, failed() {} }

/** A node's part in agreeing on the topology: voter if the topology says so, proposer, and one of those who spread it. */
export class Coordination implements ColdReceiver {
  readonly #parts: CoordinationParts
  readonly #acceptor: Acceptor | undefined
  readonly #proposer: Proposer
  readonly #spread: TopologySpread
  /** What this node's acceptor told its own proposer: delivered when durable. */
  readonly #own: { readonly ticket: number; readonly type: number; readonly body: Uint8Array }[] = []
  readonly #joining = new Set<string>()
  /** Of the newest topology that this voter has accepted. */
  #acceptedEpoch = 0
  /** When to ask what has become of it. */
  #asksAtMs = Number.POSITIVE_INFINITY
  #changes = 0

  constructor(parts: CoordinationParts) {
    this.#parts = parts
    const { identity, bugs } = parts
    this.#acceptor = this.#openAcceptor()
    if (this.#acceptor !== undefined) this.#noteAccepted(this.#acceptor.accepted)
    const self = bugs.has('ballot-reused') ? { member: 0, boot: 0 } : { member: identity.member, boot: parts.boot }
    const newVotersOnly = bugs.has('chosen-by-new-voters-only')
    const toVoters: ProposerSink = {
      prepare: (voter, ballot) =>
        this.#toVoter(voter, coordinationType.prepare, encodePrepare({ voter: voter.number, ballot })),
      accept: (voter, ballot, value) =>
        this.#toVoter(voter, coordinationType.accept, encodeAccept({ voter: voter.number, ballot, value })),
      chosen: (topology, now) => this.#spread.learn(topology, now),
    }
    this.#proposer = new Proposer(self, parts.topology, parts.config, parts.random, toVoters, newVotersOnly)
    this.#spread = new TopologySpread(parts.topology, parts, (topology, now) => {
      parts.adopt(topology, now)
      this.#proposer.learn(topology, now)
    })
  }

  get topology(): Topology {
    return this.#spread.topology
  }

  get wakeAtMs(): number {
    return Math.min(this.#proposer.wakeAtMs, this.#asksAtMs)
  }

  onTimer(now: Now): void {
    if (this.#proposer.wakeAtMs <= now.monotonicMs) this.#proposer.onTimer(now)
    this.#askAfterAccepted(now)
  }

  /**
   * What a voter has accepted and nobody has told it of since may have been chosen, and acknowledged, by a proposer that died with all who had
   * learnt it. To read the register brings it into force.
   */
  #askAfterAccepted(now: Now): void {
    if (this.#acceptedEpoch <= this.topology.epoch) this.#asksAtMs = Number.POSITIVE_INFINITY
    else if (now.monotonicMs >= this.#asksAtMs || this.#asksAtMs === Number.POSITIVE_INFINITY) {
      const isDue = now.monotonicMs >= this.#asksAtMs
      this.#asksAtMs = now.monotonicMs + learnMs * (1 + this.#parts.random())
      if (isDue) this.#proposer.read(this.#asksAtMs, ignored, now)
    }
  }

  /** Delivers what has become durable; true if there was anything. */
  onDurable(now: Now): boolean {
    const { durableTicket } = this.#parts.store
    let delivered = false
    while (this.#own.length > 0 && this.#own[0]!.ticket <= durableTicket) {
      const { type, body } = this.#own.shift()!
      this.#answered(type, body, now)
      delivered = true
    }
    return delivered
  }

  onNewerEpoch(from: NodeId, epoch: number, now: Now): void {
    this.#spread.onNewerEpoch(from, epoch, now)
  }

  /** The result comes through `done`, once, perhaps before this returns. */
  change(
    change: TopologyChange,
    id: ChangeId,
    deadlineMs: number,
    done: (result: ChangeResult, now: Now) => void,
    now: Now,
  ): void {
    if (this.#changes >= changesMax) {
      done({ status: 'error', code: 'CASKADE_OVERLOADED', message: `${changesMax} changes wait: retry later` }, now)
      return
    }
    this.#changes++
    const ended = (result: ChangeResult, at: Now) => {
      this.#changes--
      done(result, at)
    }
    new ChangeRun(this.#proposer, change, id, deadlineMs, ended).start(this.topology, now)
  }

  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void {
    if (type === coordinationType.prepare || type === coordinationType.accept) this.#asked(from, type, body)
    else if (type === coordinationType.promise || type === coordinationType.accepted) this.#answered(type, body, now)
    else if (type === coordinationType.join) this.#join(from, body, now)
    else this.#spread.receive(from, type, body, now)
  }

  /** A voter that cannot read what it promised keeps silent: replace it. */
  #openAcceptor(): Acceptor | undefined {
    const { store, identity, sink } = this.#parts
    try {
      return new Acceptor(store, identity.member)
    } catch (error) {
      if (storeErrorCode(error) === undefined && !(error instanceof MalformedFrameError)) throw error
      sink.event('voter-silent', { reason: (error as Error).message })
      return undefined
    }
  }

  #toVoter(voter: Member, type: number, body: Uint8Array): void {
    const { identity, send } = this.#parts
    if (voter.number === identity.member) this.#asked(identity.id, type, body)
    else send(voter.id, type, body, false)
  }

  #asked(from: NodeId, type: number, body: Uint8Array): void {
    const { identity, store, send, bugs } = this.#parts
    const isPrepare = type === coordinationType.prepare
    const message = isPrepare ? decodePrepare(body) : decodeAccept(body)
    if (this.#acceptor === undefined || message.voter !== identity.member) return
    let answer: Uint8Array
    try {
      answer = isPrepare
        ? encodePromise(this.#acceptor.prepare(message))
        : encodeAccepted(this.#acceptor.accept(decodeAccept(body)))
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      return
    }
    if (!isPrepare) this.#noteAccepted(this.#acceptor.accepted)
    const answerType = isPrepare ? coordinationType.promise : coordinationType.accepted
    const held = !bugs.has('acceptor-answers-early')
    if (from !== identity.id) send(from, answerType, answer, held)
    else this.#own.push({ ticket: held ? store.ticket : 0, type: answerType, body: answer })
  }

  #noteAccepted(value: Uint8Array): void {
    if (value.length > 0) this.#acceptedEpoch = decodeTopology(value).epoch
  }

  #answered(type: number, body: Uint8Array, now: Now): void {
    if (type === coordinationType.promise) this.#proposer.onPromise(decodePromise(body), now)
    else this.#proposer.onAccepted(decodeAccepted(body), now)
  }

  /** A node that is no member asks in; the life it drew names the change, so that to ask again changes nothing more. */
  #join(from: NodeId, body: Uint8Array, now: Now): void {
    const { life, after, host, zone, address } = decodeJoin(body)
    const id = `${from}${life}`
    if (this.#joining.has(id) || this.#joining.size >= changesMax) return
    this.#joining.add(id)
    const done = (result: ChangeResult) => {
      this.#joining.delete(id)
      if (result.status === 'ok') this.#spread.sendTo(from)
      else if (result.code !== 'CASKADE_UNCERTAIN' && result.code !== 'CASKADE_UNAVAILABLE') this.#refuse(from, result)
    }
    const node = { id: from, host, zone, address }
    this.change({ type: 'join', node, life, after }, life, now.monotonicMs + joinMs, done, now)
  }

  #refuse(node: NodeId, { code, message }: { readonly code: string; readonly message: string }): void {
    const body = encodeJoinRefused({ code, message, incarnation: newestIncarnation(this.topology, node) })
    this.#parts.send(node, coordinationType.joinRefused, body, false)
  }
}
