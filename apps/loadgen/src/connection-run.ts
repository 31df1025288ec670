import { connect, type Socket } from 'node:net'
import { CommandBuffer } from './command-buffer.js'
import type { Driver, Reply } from './driver.js'
import { greetingEntry, InFlightRing, modifyEntry } from './in-flight-ring.js'
import type { LatencyRecorder } from './latency-recorder.js'
import type { OperationStream } from './operation-stream.js'
import type { Random } from './random.js'
import { ReceiveBuffer } from './receive-buffer.js'
import { ReplyJudge } from './reply-judge.js'
import type { RunTally } from './run-tally.js'
import { backOffMs, type Pacer, type PhaseTimes } from './schedule.js'
import type { Verifier } from './verifier.js'
import { readModifyWriteOperation, readOperation, scanOperation } from './workload.js'

/** A start later than this after it was due counts as late. */
const lateMs = 1

export interface Target {
  host: string
  port: number
}

/** What the connections of a phase share. */
export interface PhaseContext {
  now: () => number
  times: PhaseTimes
  /** Time without any reply after which a connection with requests in flight is given up. */
  timeoutMs: number
  recorder: LatencyRecorder
  tally: RunTally
  verifier: Verifier | undefined
  keyOf: (record: number) => string
  /** Where every socket reads into: consumed before the next read. */
  readBuffer: Buffer
  /** Called when a connection is established and when one is lost. */
  onConnection: (up: boolean) => void
  /** Called when the connection has nothing left to do. */
  onFinished: () => void
}

export interface ConnectionPlan {
  target: Target
  driver: Driver
  stream: OperationStream
  pacer: Pacer
  /** Measured operations this connection performs; Infinity: until the pacer stops. */
  quota: number
  pipeline: number
  readBatch: number
  random: Random
}

/**
 * One connection: keeps up to `pipeline` operations in flight, in one write per turn; matches replies to requests by order; reconnects
 * with back-off. No promise and no object per operation.
 */
export class ConnectionRun {
  readonly #context: PhaseContext
  readonly #plan: ConnectionPlan
  readonly #ring: InFlightRing
  readonly #out = new CommandBuffer()
  /** Records whose modify half waits to be sent, with when their operation was due. */
  readonly #modifies: { record: number; intendedMs: number }[] = []
  readonly #received = new ReceiveBuffer()
  readonly #judge: ReplyJudge | undefined
  #socket: Socket | undefined
  #connected = false
  #stopped = false
  #finished = false
  #attempt = 0
  #retry: NodeJS.Timeout | undefined
  #sent = 0
  #sentMeasured = 0
  /** Since when something has been waited for and nothing has come. */
  #quietSinceMs = 0

  constructor(context: PhaseContext, plan: ConnectionPlan) {
    this.#context = context
    this.#plan = plan
    this.#ring = new InFlightRing(plan.pipeline + 1, plan.readBatch)
    const { verifier, tally, keyOf } = context
    if (verifier !== undefined) this.#judge = new ReplyJudge(verifier, tally, keyOf)
  }

  /** Operations begun so far. */
  get sent(): number {
    return this.#sent
  }

  /** Operations that are begun and not answered. */
  get inFlight(): number {
    return this.#ring.length + this.#modifies.length
  }

  open(): void {
    const { readBuffer } = this.#context
    const socket = connect({
      ...this.#plan.target,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          if (socket === this.#socket && bytes === readBuffer) this.#receive(readBuffer, length)
          return true
        },
      },
    })
    this.#socket = socket
    this.#quietSinceMs = this.#context.now()
    let established = false
    let reason = 'the server closed the connection'
    socket.on('connect', () => {
      established = true
      if (socket === this.#socket) this.#onConnect()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
    })
    socket.on('close', () => {
      if (socket === this.#socket) this.#onClose(established, reason)
    })
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.#finished) return
    const now = this.#context.now()
    if (this.#connected) {
      this.#fill(now)
      this.#flush()
    }
    this.#finishIfDone(now)
  }

  /** To be called now and then: gives up on a peer that has gone silent, and notices the end of a phase when nothing is received. */
  check(): void {
    const { now, timeoutMs } = this.#context
    const waits = this.#ring.length > 0 || this.#socket?.connecting === true
    if (waits && now() - this.#quietSinceMs > timeoutMs) {
      this.#drop('timeout', `no reply for ${timeoutMs} ms`)
      return
    }
    this.pump()
  }

  /** Ends at once; requests in flight count as errors of `kind`. */
  stop(kind: string, message: string): void {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    this.#socket = undefined
    this.#connected = false
    this.#failInFlight(kind, message)
    socket?.destroy()
    this.#finish()
  }

  #onConnect(): void {
    this.#connected = true
    this.#attempt = 0
    this.#quietSinceMs = this.#context.now()
    this.#context.onConnection(true)
    const replies = this.#plan.driver.greet(this.#out)
    for (let i = 0; i < replies; i++) this.#ring.push(greetingEntry, 0, 0)
    this.pump()
  }

  #onClose(established: boolean, reason: string): void {
    const { tally } = this.#context
    if (established) {
      this.#failInFlight('disconnected', reason)
      this.#context.onConnection(false)
      if (!this.#finished) tally.disconnects++
    } else
      tally.error(
        `connect ${reason}`,
        `no connection to ${this.#plan.target.host}:${this.#plan.target.port}: ${reason}`,
      )
    this.#connected = false
    this.#socket = undefined
    this.#received.clear()
    this.#out.length = 0
    this.#finishIfDone(this.#context.now())
    if (this.#finished || this.#stopped) return
    this.#retry = setTimeout(() => this.open(), backOffMs(this.#attempt++, this.#plan.random.nextFloat()))
  }

  /** Closes a connection that is of no more use; the close event then starts another. */
  #drop(kind: string, message: string): void {
    this.#connected = false
    this.#failInFlight(kind, message)
    this.#socket?.destroy()
  }

  #failInFlight(kind: string, message: string): void {
    const ring = this.#ring
    const { tally, verifier } = this.#context
    const count = ring.length + this.#modifies.length
    while (ring.length > 0) {
      const slot = ring.oldest
      if (ring.sequences[slot]! > 0) verifier?.abandon(ring.records[slot * ring.batch]!, ring.sequences[slot]!)
      ring.shift()
    }
    this.#modifies.length = 0
    if (count > 0) tally.error(kind, message, count)
  }

  #fill(now: number): void {
    const ring = this.#ring
    const { pacer, pipeline, quota, stream } = this.#plan
    if (ring.length === 0) this.#quietSinceMs = now
    if (this.#modifies.length > 0) {
      for (const { record, intendedMs } of this.#modifies) this.#sendWrite(modifyEntry, record, intendedMs)
      this.#modifies.length = 0
    }
    while (ring.length < pipeline && this.#sentMeasured < quota) {
      const intendedMs = pacer.intendedMs(this.#sent, now)
      if (intendedMs === Number.POSITIVE_INFINITY) return
      stream.next()
      this.#sent++
      if (intendedMs >= this.#context.times.measureFromMs) {
        this.#sentMeasured++
        if (now - intendedMs > lateMs) this.#context.tally.late++
      }
      this.#send(intendedMs)
    }
  }

  #send(intendedMs: number): void {
    const { driver, stream } = this.#plan
    const { kind } = stream
    const out = this.#out
    if (kind === readOperation || kind === readModifyWriteOperation) {
      const slot = this.#ring.push(kind, stream.count, intendedMs)
      this.#remember(slot, stream.records, stream.count)
      driver.read(out, stream.records, stream.count)
    } else if (kind === scanOperation) {
      this.#remember(this.#ring.push(kind, 1, intendedMs), stream.records, 1)
      driver.scan(out, stream.records[0]!, stream.scanLength)
    } else this.#sendWrite(kind, stream.records[0]!, intendedMs)
  }

  #sendWrite(kind: number, record: number, intendedMs: number): void {
    const ring = this.#ring
    const slot = ring.push(kind, 0, intendedMs)
    const sequence = this.#context.verifier?.issue(record) ?? 0
    ring.records[slot * ring.batch] = record
    ring.sequences[slot] = sequence
    this.#plan.driver.write(this.#out, record, sequence)
  }

  #remember(slot: number, records: Float64Array, count: number): void {
    const { verifier } = this.#context
    const ring = this.#ring
    const base = slot * ring.batch
    for (let i = 0; i < count; i++) {
      const record = records[i]!
      ring.records[base + i] = record
      if (verifier !== undefined) ring.floors[base + i] = verifier.floor(record)
    }
  }

  #flush(): void {
    const out = this.#out
    if (out.length === 0) return
    const socket = this.#socket!
    socket.write(out.bytes.subarray(0, out.length))
    // Usually the kernel has taken it all by now and the memory is free again.
    if (socket.writableLength > 0) out.release()
    else out.length = 0
  }

  #receive(bytes: Buffer, length: number): void {
    const now = this.#context.now()
    this.#quietSinceMs = now
    try {
      this.#received.receive(bytes, length, (whole, end) => this.#parse(whole, end, now))
    } catch (error) {
      this.#drop('protocol', (error as Error).message)
      return
    }
    this.#fill(now)
    this.#flush()
    this.#finishIfDone(now)
  }

  /** Handles every whole reply in `bytes[0, end)`; returns where the first incomplete one begins. */
  #parse(bytes: Buffer, end: number, now: number): number {
    const ring = this.#ring
    const { driver } = this.#plan
    let at = 0
    while (at < end) {
      if (ring.length === 0) throw new Error('a reply that nothing asked for')
      const slot = ring.oldest
      const next = driver.parse(bytes, at, end, ring.kinds[slot]!, ring.counts[slot]!)
      if (next < 0) return at
      at = next
      this.#settle(slot, driver.reply, now)
      ring.shift()
    }
    return at
  }

  #settle(slot: number, reply: Reply, now: number): void {
    const ring = this.#ring
    const { recorder, tally, times, verifier } = this.#context
    const kind = ring.kinds[slot]!
    const sequence = ring.sequences[slot]!
    if (reply.status === 'error') {
      tally.error(reply.errorKind, reply.errorMessage)
      if (sequence > 0) verifier!.abandon(ring.records[slot * ring.batch]!, sequence)
      return
    }
    if (kind === greetingEntry) return
    if (reply.status === 'absent') tally.absent++
    if (sequence > 0) verifier!.acknowledge(ring.records[slot * ring.batch]!, sequence)
    else if (ring.counts[slot]! > 0) this.#judge?.judge(ring, slot, reply)
    const intendedMs = ring.intendedMs[slot]!
    if (kind === readModifyWriteOperation) {
      this.#modifies.push({ record: ring.records[slot * ring.batch]!, intendedMs })
      return
    }
    const warmUp = intendedMs < times.measureFromMs
    if (!warmUp) tally.lastMeasuredMs = now
    recorder.record(kind === modifyEntry ? readModifyWriteOperation : kind, now - intendedMs, warmUp)
  }

  #finishIfDone(now: number): void {
    if (this.inFlight > 0) return
    if (this.#sentMeasured >= this.#plan.quota || this.#plan.pacer.over(this.#sent, now)) this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    this.#socket = undefined
    this.#connected = false
    socket?.destroy()
    this.#context.onFinished()
  }
}
