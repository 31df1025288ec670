import { ConnectionRun, type PhaseContext, type Target } from './connection-run.js'
import type { Driver } from './driver.js'
import { type IntervalFigures, LatencyRecorder } from './latency-recorder.js'
import type { ConnectionPlace, OperationStream } from './operation-stream.js'
import { Random } from './random.js'
import { RunTally } from './run-tally.js'
import { closedLoop, dueCount, dueMs, openLoop, type PhaseTimes } from './schedule.js'
import type { Verifier } from './verifier.js'

const intervalMs = 1000
const checkMs = 100
const readBytes = 256 * 1024
/** Timers are a millisecond late and more: closer than this, the open loop polls instead of sleeping. */
const pollMs = 2

export interface PhaseOptions {
  targets: readonly Target[]
  connections: number
  pipeline: number
  readBatch: number
  seed: number
  /** Operations per second of all connections: open loop. Absent: closed loop. */
  rate?: number
  warmUpMs: number
  /** Measured time; Infinity: the quota ends the phase. */
  durationMs: number
  timeoutMs: number
  /** How long no connection at all may be up before the phase is given up. */
  reconnectMs: number
  driverFor: (target: Target) => Driver
  streamFor: (place: ConnectionPlace) => OperationStream
  quotaFor: (place: ConnectionPlace) => number
  verifier: Verifier | undefined
  keyOf: (record: number) => string
  onInterval: (sample: Sample) => void
  /** Ends the phase early; what was measured is reported. */
  signal: AbortSignal
}

/** One second of a phase. */
export interface Sample extends IntervalFigures {
  /** End of the interval, since the phase began. */
  atMs: number
  durationMs: number
  errors: number
  warmUp: boolean
}

export interface PhaseResult {
  outcome: 'complete' | 'interrupted' | 'server-gone'
  recorder: LatencyRecorder
  tally: RunTally
  samples: Sample[]
  /** From the first measured operation to the last answer. */
  measuredMs: number
  /** Operations that were due and never begun (open loop). */
  unsent: number
  /** Share of one core that this process used, 1 is all of it. */
  clientCpu: number
}

/** Runs one phase on `connections` sockets. Rejects only on a mistake of the program: whatever the server does is in the result. */
export function runPhase(options: PhaseOptions): Promise<PhaseResult> {
  return new Promise((resolve) => new PhaseRun(options, resolve).begin())
}

class PhaseRun {
  readonly #options: PhaseOptions
  readonly #resolve: (result: PhaseResult) => void
  readonly #times: PhaseTimes = {
    startMs: Number.POSITIVE_INFINITY,
    measureFromMs: Number.POSITIVE_INFINITY,
    stopMs: Number.POSITIVE_INFINITY,
  }
  readonly #recorder = new LatencyRecorder()
  readonly #tally = new RunTally()
  readonly #samples: Sample[] = []
  readonly #connections: ConnectionRun[]
  readonly #openedMs = performance.now()
  readonly #timers: NodeJS.Timeout[] = []
  #cpuBefore = process.cpuUsage()
  #up = 0
  #downSinceMs = performance.now()
  #finished = 0
  #ended = false
  #outcome: PhaseResult['outcome'] = 'complete'
  #sampledMs = 0
  #sampledErrors = 0
  /** Next operation of the open loop, over all connections. */
  #nextDue = 0

  constructor(options: PhaseOptions, resolve: (result: PhaseResult) => void) {
    this.#options = options
    this.#resolve = resolve
    const { connections, rate, targets } = options
    const context: PhaseContext = {
      now: () => performance.now(),
      times: this.#times,
      timeoutMs: options.timeoutMs,
      recorder: this.#recorder,
      tally: this.#tally,
      verifier: options.verifier,
      keyOf: options.keyOf,
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      onConnection: (up) => this.#onConnection(up),
      onFinished: () => {
        if (++this.#finished === connections) setImmediate(() => this.#end())
      },
    }
    this.#connections = Array.from({ length: connections }, (_, index) => {
      const place = { index, connections }
      const target = targets[index % targets.length]!
      return new ConnectionRun(context, {
        target,
        driver: options.driverFor(target),
        stream: options.streamFor(place),
        pacer: rate === undefined ? closedLoop(this.#times) : openLoop(this.#times, rate, index, connections),
        quota: options.quotaFor(place),
        pipeline: options.pipeline,
        readBatch: options.readBatch,
        random: new Random(options.seed, 0x10000 + index),
      })
    })
  }

  begin(): void {
    this.#timers.push(setInterval(() => this.#check(), checkMs))
    this.#options.signal.addEventListener('abort', this.#onAbort, { once: true })
    for (const connection of this.#connections) connection.open()
    if (this.#options.signal.aborted) this.#onAbort()
  }

  readonly #onAbort = () => {
    this.#outcome = 'interrupted'
    this.#times.stopMs = Math.min(this.#times.stopMs, performance.now())
    for (const connection of this.#connections) connection.pump()
  }

  /** The clock starts when every connection is up, or some are and the rest had a second. */
  #onConnection(up: boolean): void {
    this.#up += up ? 1 : -1
    if (this.#up === 0) this.#downSinceMs = performance.now()
    if (this.#up === this.#connections.length) this.#start()
  }

  #start(): void {
    if (this.#times.startMs !== Number.POSITIVE_INFINITY) return
    const { durationMs, warmUpMs, rate } = this.#options
    const now = performance.now()
    this.#times.startMs = now
    this.#times.measureFromMs = now + warmUpMs
    this.#times.stopMs = Math.min(this.#times.stopMs, now + warmUpMs + durationMs)
    this.#cpuBefore = process.cpuUsage()
    this.#timers.push(setInterval(() => this.#sample(), intervalMs))
    if (rate === undefined) setImmediate(() => this.#pumpAll())
    else this.#dispatch(rate)
  }

  #pumpAll(): void {
    for (const connection of this.#connections) connection.pump()
  }

  /** Wakes the connection of each operation that has fallen due. */
  #dispatch(rate: number): void {
    if (this.#ended) return
    const now = performance.now()
    const { startMs, stopMs } = this.#times
    let due = dueMs(startMs, rate, this.#nextDue)
    while (due <= now) {
      this.#connections[this.#nextDue % this.#connections.length]!.pump()
      due = dueMs(startMs, rate, ++this.#nextDue)
    }
    if (due >= stopMs) return
    const waitMs = due - performance.now()
    if (waitMs < pollMs) setImmediate(() => this.#dispatch(rate))
    else setTimeout(() => this.#dispatch(rate), Math.floor(waitMs - pollMs / 2))
  }

  #check(): void {
    const now = performance.now()
    const { startMs, stopMs } = this.#times
    if (startMs === Number.POSITIVE_INFINITY && this.#up > 0 && now - this.#openedMs > 1000) this.#start()
    for (const connection of this.#connections) connection.check()
    if (this.#up === 0 && now - this.#downSinceMs > this.#options.reconnectMs && now < stopMs) {
      this.#outcome = 'server-gone'
      this.#stopAll('server gone', `no connection for ${Math.round(now - this.#downSinceMs)} ms`)
    } else if (now > stopMs + this.#options.timeoutMs) this.#stopAll('unanswered', 'no reply by the end of the phase')
  }

  #stopAll(kind: string, message: string): void {
    for (const connection of this.#connections) connection.stop(kind, message)
  }

  #sample(): void {
    const now = performance.now()
    const { startMs, measureFromMs } = this.#times
    const errors = this.#tally.errorCount
    const atMs = now - startMs
    const sample: Sample = {
      ...this.#recorder.tick(),
      atMs,
      durationMs: atMs - this.#sampledMs,
      errors: errors - this.#sampledErrors,
      warmUp: now - (atMs - this.#sampledMs) / 2 < measureFromMs,
    }
    this.#sampledMs = atMs
    this.#sampledErrors = errors
    this.#samples.push(sample)
    this.#options.onInterval(sample)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    const now = performance.now()
    const { measureFromMs, startMs } = this.#times
    const started = startMs !== Number.POSITIVE_INFINITY
    if (started) {
      const wallMs = Math.max(1, now - startMs)
      const cpu = process.cpuUsage(this.#cpuBefore)
      const sent = this.#connections.reduce((sum, connection) => sum + connection.sent, 0)
      const { rate } = this.#options
      // A last sample of a few milliseconds would only show noise; its latencies still count.
      if (now - startMs - this.#sampledMs > intervalMs / 4) this.#sample()
      else this.#recorder.tick()
      this.#resolve({
        outcome: this.#outcome,
        recorder: this.#recorder,
        tally: this.#tally,
        samples: this.#samples,
        measuredMs: Math.max(0, this.#tally.lastMeasuredMs - measureFromMs),
        unsent: rate === undefined ? 0 : Math.max(0, Math.min(this.#quota(), dueCount(this.#times, rate, now)) - sent),
        clientCpu: (cpu.user + cpu.system) / 1000 / wallMs,
      })
      return
    }
    this.#resolve({
      outcome: this.#outcome === 'complete' ? 'server-gone' : this.#outcome,
      recorder: this.#recorder,
      tally: this.#tally,
      samples: [],
      measuredMs: 0,
      unsent: 0,
      clientCpu: 0,
    })
  }

  /** Operations of the whole phase, the warm-up included; Infinity without a limit. */
  #quota(): number {
    const { connections, quotaFor, rate = 0, warmUpMs } = this.#options
    let quota = (rate * warmUpMs) / 1000
    for (let index = 0; index < connections; index++) quota += quotaFor({ index, connections })
    return quota
  }
}
