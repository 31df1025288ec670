import { Membership } from '../membership/membership.js'
import { defaultMembershipConfig, type MembershipConfig } from '../membership/membership-config.js'
import type { NodeId } from '../node/identity.js'

const idOf = (node: number): NodeId => node.toString(16).padStart(16, '0')

interface Process {
  machine: Membership
  paused: { from: NodeId; type: number; body: Uint8Array }[] | undefined
  supplanted: boolean
}

/** The failure detectors of some nodes over a network, in steps of 5 ms, from one seed. */
export class MembershipWorld {
  nowMs = 1000
  messages = 0
  /** Verdicts `dead` on a process that was running. */
  readonly falseDeaths: string[] = []
  /** Chance of each message to get lost. */
  loss = 0
  link: (from: number, to: number) => boolean = () => true
  readonly #processes: (Process | undefined)[] = []
  readonly #boots: number[] = []
  #wire: { atMs: number; from: number; to: number; type: number; body: Uint8Array }[] = []
  #state: number
  readonly #config: MembershipConfig

  constructor(seed: number, nodes: number, config: Partial<MembershipConfig> = {}) {
    this.#state = seed
    this.#config = { ...defaultMembershipConfig, ...config }
    for (let node = 0; node < nodes; node++) this.start(node, 1)
    for (let node = 0; node < nodes; node++)
      this.meet(
        node,
        Array.from({ length: nodes }, (_, i) => i),
      )
  }

  machine(node: number): Membership {
    return this.#processes[node]!.machine
  }

  isSupplanted(node: number): boolean {
    return this.#processes[node]!.supplanted
  }

  /** A process of that node; `boot` says which start its disk believes this to be. */
  start(node: number, boot = this.#boots[node]! + 1): void {
    this.#boots[node] = boot
    const process: Process = { machine: undefined as unknown as Membership, paused: undefined, supplanted: false }
    process.machine = new Membership(
      {
        self: { id: idOf(node), incarnation: 1, boot, run: Math.floor(this.random() * 2 ** 32), address: `a${node}` },
        config: this.#config,
        random: () => this.random(),
        sink: {
          send: (to, type, body) => this.#post(node, Number.parseInt(to, 16), type, body),
          changed: (id, verdict) => {
            if (verdict === 'dead' && this.#isRunning(id)) this.falseDeaths.push(`${id} by ${node} at ${this.nowMs}`)
          },
          supplanted: () => {
            process.supplanted = true
          },
        },
      },
      this.#now(),
    )
    this.#processes[node] = process
  }

  meet(node: number, others: readonly number[]): void {
    const members = others.map((other) => ({ id: idOf(other), incarnation: 1, address: `a${other}` }))
    this.machine(node).follow(members, this.#now())
  }

  crash(node: number): void {
    this.#processes[node] = undefined
  }

  pause(node: number): void {
    this.#processes[node]!.paused = []
  }

  resume(node: number): void {
    const { machine, paused } = this.#processes[node]!
    this.#processes[node]!.paused = undefined
    for (const { from, type, body } of paused!) machine.receive(from, type, body, this.#now())
  }

  run(ms: number, done: () => boolean = () => false): void {
    for (const end = this.nowMs + ms; this.nowMs < end && !done(); this.nowMs += 5) {
      const due = this.#wire.filter(({ atMs }) => atMs <= this.nowMs)
      this.#wire = this.#wire.filter(({ atMs }) => atMs > this.nowMs)
      for (const { from, to, type, body } of due) {
        const process = this.#processes[to]
        if (process?.paused !== undefined) process.paused.push({ from: idOf(from), type, body })
        else process?.machine.receive(idOf(from), type, body, this.#now())
      }
      for (const process of this.#processes)
        if (process !== undefined && process.paused === undefined && process.machine.wakeAtMs <= this.nowMs)
          process.machine.onTimer(this.#now())
    }
  }

  /** What each running node but itself says of that one. */
  verdicts(of: number): Set<string> {
    const others = this.#processes.filter((process, node) => process !== undefined && node !== of)
    return new Set(others.map((process) => process!.machine.of(idOf(of))))
  }

  /** Mulberry32. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  #isRunning(id: NodeId): boolean {
    const process = this.#processes[Number.parseInt(id, 16)]
    return process !== undefined && process.paused === undefined
  }

  #post(from: number, to: number, type: number, body: Uint8Array): void {
    this.messages++
    if (this.#processes[from]?.paused !== undefined || !this.link(from, to) || this.random() < this.loss) return
    this.#wire.push({ atMs: this.nowMs + 1 + this.random() * 20, from, to, type, body })
  }

  #now() {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs }
  }
}
