/**
 * How much this node doubts itself: 0 is well. Its probes wait (score + 1) times as long, because a node that is slow takes others for dead.
 * Lifeguard's local health multiplier, section IV-A; fed by the delay of the event loop as well, which tells at once what missed
 * answers tell late.
 */
export class LocalHealth {
  readonly #max: number
  readonly #probeTimeoutMs: number
  #score = 0
  #loopScore = 0

  constructor(max: number, probeTimeoutMs: number) {
    this.#max = max
    this.#probeTimeoutMs = probeTimeoutMs
  }

  get score(): number {
    return Math.max(this.#score, this.#loopScore)
  }

  get multiplier(): number {
    return this.score + 1
  }

  /** A probe was answered in time. */
  better(): void {
    if (this.#score > 0) this.#score--
  }

  /** By one for each: a probe that nobody answered, a helper that kept silent, a suspicion that had to be refuted. */
  worse(by = 1): void {
    this.#score = Math.min(this.#max, this.#score + by)
  }

  /** The present delay of the event loop: a quarter of the probe timeout counts one. */
  loopDelay(ms: number): void {
    this.#loopScore = Math.min(this.#max, Math.floor((4 * ms) / this.#probeTimeoutMs))
  }
}
