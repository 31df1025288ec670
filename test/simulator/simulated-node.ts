import {
  type ChangeResult,
  type ClientRequest,
  type CoordinatedNodeSink,
  type DeliberateBug,
  type NodeId,
  type NodeIdentity,
  type Now,
  type ReplicaStore,
  type Result,
  storeErrorCode,
  type Topology,
  type TopologyChange,
} from '@caskade/cluster'
import type { SeededRandom } from '../seeded-random.js'
import type { After, Disk } from './disk.js'
import type { NodeFactory, NodeMachine } from './node-machine.js'
import type { Trace } from './trace.js'

/** Around one node: the world that it is in. */
export interface Surroundings {
  readonly nowMs: () => number
  readonly after: After
  readonly trace: Trace
  /** The node has died, or was stopped. */
  readonly ended: () => void
  /** A frame leaves for the node of that id. */
  readonly send: (from: SimulatedNode, to: NodeId, frame: Uint8Array) => void
  /** A node threw, which it never may. */
  readonly failed: (node: SimulatedNode, error: unknown) => void
  /** A topology has come into force at a node. */
  readonly adopted: (node: SimulatedNode, topology: Topology) => void
  readonly event: (node: SimulatedNode, name: string, details: Readonly<Record<string, string | number>>) => void
}

/** Length of a turn of the event loop: what arrives within it is answered in one frame. */
const turnMs = 0.05
/** Between the end of a process that could not start and the next try. */
const restartMs = 500
/** The world's wall clock when it begins: any. */
export const wallClockBeginsMs = 1_700_000_000_000

/**
 * The process and the machine around one node: clocks, an event loop whose turns end in `tick`, a disk that syncs, and a
 * power plug. A paused node takes nothing in and notices no time; what arrives meanwhile waits, as in a socket.
 */
export class SimulatedNode {
  readonly index: number
  readonly disk: Disk
  identity: NodeIdentity
  machine: NodeMachine | undefined
  /** Its wall clock against the world's, in milliseconds. */
  clockErrorMs = 0
  clockErrorMaxMs = 0
  /** The last crash, start, pause or resume: an operation that was under way then may go without an answer. */
  disturbedAtMs = 0
  /** The cluster has removed it: nobody starts it again. */
  isRetired = false
  /** Its disk was replaced by an empty one, once or more often. */
  hasLostDisk = false
  readonly #factory: NodeFactory
  readonly #random: SeededRandom
  readonly #bugs: ReadonlySet<DeliberateBug>
  readonly #around: Surroundings
  /** Counts the lives: what was scheduled in an earlier one does not happen. */
  #life = 0
  #on = false
  #monotonicOffsetMs = 0
  #paused = 0
  #waiting: ((machine: NodeMachine) => void)[] = []
  #turnScheduled = false
  #armedAtMs = Number.POSITIVE_INFINITY
  readonly #replies = new Map<number, (result: Result | undefined) => void>()
  #requests = 0
  readonly #changes = new Map<number, (result: ChangeResult | undefined) => void>()

  constructor(
    index: number,
    identity: NodeIdentity,
    makeDisk: (onDurable: () => void) => Disk,
    factory: NodeFactory,
    random: SeededRandom,
    bugs: ReadonlySet<DeliberateBug>,
    around: Surroundings,
  ) {
    this.index = index
    this.identity = identity
    this.disk = makeDisk(() => this.#input((machine) => machine.onDurable(this.#now())))
    this.#factory = factory
    this.#random = random
    this.#bugs = bugs
    this.#around = around
  }

  get isUp(): boolean {
    return this.machine !== undefined
  }

  get isPaused(): boolean {
    return this.#paused > 0
  }

  /** Monotonic time of the node so many milliseconds from now, for deadlines. */
  monotonicMs(inMs = 0): number {
    return this.#around.nowMs() + inMs + this.#monotonicOffsetMs
  }

  start(): void {
    if (this.#on || this.isRetired) return
    this.#on = true
    const life = ++this.#life
    this.#disturbed()
    this.#monotonicOffsetMs = this.#random.between(0, 1_000_000)
    this.disk.open((store) => {
      if (life === this.#life) this.#live(store, life)
    })
  }

  /** The machine dies. Waiting clients hear `undefined` as their connections break. */
  crash(): void {
    this.#end(() => this.disk.crash())
  }

  /** The machine dies, and is given an empty disk. */
  loseDisk(): void {
    this.crash()
    this.disk.replace()
    this.hasLostDisk = true
  }

  /** As SIGTERM: nothing on disk is lost. */
  stop(): void {
    this.#end(() => this.disk.close())
  }

  pause(): void {
    this.#paused++
    this.#disturbed()
  }

  resume(): void {
    if (--this.#paused > 0) return
    this.#disturbed()
    const waiting = this.#waiting
    this.#waiting = []
    for (const input of waiting) this.#input(input)
    this.#wake()
  }

  jumpClock(byMs: number): void {
    this.clockErrorMs += byMs
    this.clockErrorMaxMs = Math.max(this.clockErrorMaxMs, Math.abs(this.clockErrorMs))
  }

  receive(from: NodeId, frame: Uint8Array): void {
    this.#input((machine) => machine.receive(from, frame, this.#now()))
  }

  /** False: nobody listens there. Else `reply` is called at most once, with `undefined` if the node dies before it answers. */
  request(make: (id: number) => ClientRequest, reply: (result: Result | undefined) => void): boolean {
    if (!this.isUp) return false
    const id = ++this.#requests
    this.#replies.set(id, reply)
    const request = make(id)
    this.#input((machine) => machine.request(request, this.#now()))
    return true
  }

  /** As `request`, of a change of the topology. */
  change(
    change: TopologyChange,
    changeId: string,
    timeoutMs: number,
    reply: (result: ChangeResult | undefined) => void,
  ): boolean {
    if (this.machine?.change === undefined) return false
    const id = ++this.#requests
    this.#changes.set(id, reply)
    const deadlineMs = this.monotonicMs(timeoutMs)
    this.#input((machine) => machine.change!({ id, change, changeId, deadlineMs }, this.#now()))
    return true
  }

  #now(): Now {
    const { nowMs } = this.#around
    return { monotonicMs: this.monotonicMs(), wallMs: Math.floor(wallClockBeginsMs + nowMs() + this.clockErrorMs) }
  }

  #live(store: ReplicaStore, life: number): void {
    const { trace, nowMs, after } = this.#around
    try {
      this.machine = this.#factory({
        index: this.index,
        identity: this.identity,
        store,
        isFirstDisk: !this.hasLostDisk,
        random: () => this.#random.next(),
        deliberateBugs: this.#bugs,
        sink: this.#sink(life),
      })
    } catch (error) {
      if (storeErrorCode(error) === undefined) this.#around.failed(this, error)
      // The process ends; whoever supervises it starts it again.
      trace.say(nowMs(), `node ${this.index} cannot start: ${error}`)
      this.stop()
      after(restartMs, () => this.start())
      return
    }
    trace.say(nowMs(), `node ${this.index} starts`)
    this.#scheduleTurn()
  }

  #sink(life: number): CoordinatedNodeSink {
    const { trace, nowMs, after, send, failed, event, adopted } = this.#around
    return {
      send: (peer, frame) => {
        if (life === this.#life) send(this, peer, frame)
      },
      reply: (id, result) => {
        if (life !== this.#life) return
        const reply = this.#replies.get(id)
        this.#replies.delete(id)
        if (reply === undefined) failed(this, new Error(`a second answer to request ${id}`))
        else after(0, () => reply(result))
        if (trace.wordy) trace.say(nowMs(), `node ${this.index} answers request ${id}: ${describeResult(result)}`)
      },
      changed: (id, result) => {
        if (life !== this.#life) return
        const reply = this.#changes.get(id)
        this.#changes.delete(id)
        if (reply === undefined) failed(this, new Error(`a second answer to change ${id}`))
        else after(0, () => reply(result))
      },
      adopted: (topology) => adopted(this, topology),
      event: (name, details) => event(this, name, details),
    }
  }

  #end(power: () => void): void {
    if (!this.#on) return
    this.#on = false
    this.#life++
    this.#disturbed()
    this.#around.ended()
    this.machine = undefined
    this.#waiting = []
    this.#turnScheduled = false
    this.#armedAtMs = Number.POSITIVE_INFINITY
    power()
    const broken = [...this.#replies.values()]
    this.#replies.clear()
    for (const reply of broken) this.#around.after(0, () => reply(undefined))
    const unknown = [...this.#changes.values()]
    this.#changes.clear()
    for (const reply of unknown) this.#around.after(0, () => reply(undefined))
  }

  #disturbed(): void {
    this.disturbedAtMs = this.#around.nowMs()
  }

  #input(input: (machine: NodeMachine) => void): void {
    if (this.machine === undefined) return
    if (this.isPaused) {
      this.#waiting.push(input)
      return
    }
    this.#guarded(input)
    this.#scheduleTurn()
  }

  #guarded(call: (machine: NodeMachine) => void): void {
    try {
      call(this.machine!)
    } catch (error) {
      this.#around.failed(this, error)
      this.crash()
    }
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.machine === undefined) return
    this.#turnScheduled = true
    const life = this.#life
    this.#around.after(turnMs, () => {
      if (life !== this.#life) return
      this.#turnScheduled = false
      if (this.isPaused) this.#waiting.push(() => {})
      else this.#endTurn()
    })
  }

  #endTurn(): void {
    this.#guarded((machine) => machine.tick(this.#now()))
    if (this.machine === undefined) return
    if (this.machine.halted !== undefined) {
      this.isRetired = this.machine.halted === 'removed'
      this.stop()
      this.#around.after(restartMs, () => this.start())
      return
    }
    this.disk.work()
    this.#arm()
  }

  #arm(): void {
    const atMs = this.machine!.wakeAtMs - this.#monotonicOffsetMs
    if (atMs >= this.#armedAtMs || atMs === Number.POSITIVE_INFINITY) return
    this.#armedAtMs = atMs
    const life = this.#life
    const { nowMs, after } = this.#around
    // Timers are late rather than early, by up to a millisecond.
    after(Math.max(0, atMs - nowMs()) + this.#random.next(), () => {
      if (life !== this.#life || this.#armedAtMs !== atMs) return
      this.#armedAtMs = Number.POSITIVE_INFINITY
      this.#wake()
    })
  }

  #wake(): void {
    if (this.machine === undefined || this.isPaused) return
    const { trace } = this.#around
    trace.number(this.index)
    this.#endTurn()
  }
}

function describeResult(result: Result): string {
  if (result.status === 'many') return `[${result.results.map(describeResult).join(', ')}]`
  if (result.status === 'error') return `${result.code}: ${result.message}`
  const values = result.status === 'ok' ? result.values.map(({ value }) => Buffer.from(value).toString('latin1')) : []
  return `${result.status}, version ${result.version}, [${values.map((value) => value.slice(0, 100)).join(', ')}]`
}
