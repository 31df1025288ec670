import type { NodeId } from '../node/identity.js'
import type { LocalHealth } from './local-health.js'
import type { MembershipConfig } from './membership-config.js'

/** What a prober acts through. */
export interface ProberSink {
  ping(target: NodeId, sequence: number): void
  pingRequest(helper: NodeId, target: NodeId, sequence: number): void
  ack(to: NodeId, sequence: number): void
  nack(to: NodeId, sequence: number): void
  /** Whom to probe now; nobody: `undefined`. */
  next(): NodeId | undefined
  /** Some others, to probe in one's stead. */
  helpers(target: NodeId): NodeId[]
  /** Nobody got an answer from it. */
  failed(target: NodeId, nowMs: number): void
}

interface Probe {
  readonly target: NodeId
  readonly sequence: number
  timeoutAtMs: number
  endsAtMs: number
  /** Asked to help; 0 before the timeout. */
  helpers: number
  nacks: number
}

/** A ping on behalf of another. */
interface Relay {
  readonly asker: NodeId
  readonly askersSequence: number
  nackAtMs: number
  endsAtMs: number
}

/** On behalf of others at the same time; beyond, they are not helped. */
const relaysMax = 1024

/**
 * Probes one node after the other: directly, after a timeout through others, and at the end of the interval it reports a silence. Helpers say so
 * when they get no answer either (Lifeguard's nack): who does not even get that has reason to doubt himself.
 */
export class Prober {
  readonly #config: MembershipConfig
  readonly #health: LocalHealth
  readonly #sink: ProberSink
  readonly #relays = new Map<number, Relay>()
  #sequence = 0
  #probe: Probe | undefined
  #nextAtMs: number

  constructor(config: MembershipConfig, health: LocalHealth, firstAtMs: number, sink: ProberSink) {
    this.#config = config
    this.#health = health
    this.#nextAtMs = firstAtMs
    this.#sink = sink
  }

  get wakeAtMs(): number {
    let wakeAtMs = this.#nextAtMs
    if (this.#probe?.helpers === 0) wakeAtMs = Math.min(wakeAtMs, this.#probe.timeoutAtMs)
    if (this.#probe !== undefined) wakeAtMs = Math.min(wakeAtMs, this.#probe.endsAtMs)
    for (const { nackAtMs, endsAtMs } of this.#relays.values()) wakeAtMs = Math.min(wakeAtMs, nackAtMs, endsAtMs)
    return wakeAtMs
  }

  onTimer(nowMs: number): void {
    for (const [sequence, relay] of this.#relays) {
      if (relay.endsAtMs <= nowMs) this.#relays.delete(sequence)
      else if (relay.nackAtMs <= nowMs) {
        relay.nackAtMs = Number.POSITIVE_INFINITY
        this.#sink.nack(relay.asker, relay.askersSequence)
      }
    }
    const probe = this.#probe
    if (probe !== undefined && probe.helpers === 0 && probe.timeoutAtMs <= nowMs) this.#askHelpers(probe)
    if (probe !== undefined && probe.endsAtMs <= nowMs) this.#fail(probe, nowMs)
    if (this.#nextAtMs <= nowMs) this.#begin(nowMs)
  }

  onAck(sequence: number): void {
    const relay = this.#relays.get(sequence)
    if (relay !== undefined) {
      this.#relays.delete(sequence)
      this.#sink.ack(relay.asker, relay.askersSequence)
    } else if (this.#probe?.sequence === sequence) {
      this.#probe = undefined
      this.#health.better()
    }
  }

  onNack(sequence: number): void {
    if (this.#probe?.sequence === sequence) this.#probe.nacks++
  }

  onPingRequest(asker: NodeId, target: NodeId, askersSequence: number, nowMs: number): void {
    if (this.#relays.size >= relaysMax) return
    const { probeTimeoutMs, probeIntervalMs } = this.#config
    const sequence = this.#nextSequence()
    const nackAtMs = nowMs + 0.8 * probeTimeoutMs
    this.#relays.set(sequence, { asker, askersSequence, nackAtMs, endsAtMs: nowMs + probeIntervalMs })
    this.#sink.ping(target, sequence)
  }

  /** Time in which this node did not listen does not count against others. */
  extend(ms: number): void {
    if (this.#probe === undefined) return
    this.#probe.timeoutAtMs += ms
    this.#probe.endsAtMs += ms
    this.#nextAtMs = Math.max(this.#nextAtMs, this.#probe.endsAtMs)
  }

  #begin(nowMs: number): void {
    const { probeTimeoutMs, probeIntervalMs } = this.#config
    const { multiplier } = this.#health
    const endsAtMs = nowMs + probeIntervalMs * multiplier
    this.#nextAtMs = endsAtMs
    const target = this.#sink.next()
    if (target === undefined) return
    const sequence = this.#nextSequence()
    this.#probe = {
      target,
      sequence,
      timeoutAtMs: nowMs + probeTimeoutMs * multiplier,
      endsAtMs,
      helpers: 0,
      nacks: 0,
    }
    this.#sink.ping(target, sequence)
  }

  #askHelpers(probe: Probe): void {
    const helpers = this.#sink.helpers(probe.target)
    probe.helpers = helpers.length
    if (helpers.length === 0) probe.timeoutAtMs = Number.POSITIVE_INFINITY
    for (const helper of helpers) this.#sink.pingRequest(helper, probe.target, probe.sequence)
  }

  #fail(probe: Probe, nowMs: number): void {
    this.#probe = undefined
    this.#health.worse(probe.helpers === 0 ? 1 : Math.max(0, probe.helpers - probe.nacks))
    this.#sink.failed(probe.target, nowMs)
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0
    return this.#sequence
  }
}
