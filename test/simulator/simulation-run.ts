import { type DeliberateBug, lww, movesWanted } from '@caskade/cluster'
import { check } from './checkers/all-checkers.js'
import { Client } from './client.js'
import type { MakeCluster } from './cluster-under-test.js'
import { diskLost } from './faults/disk.js'
import type { History, Operation, ReplicaCopy, Violation } from './history.js'
import { Nemesis } from './nemesis.js'
import { OperationLog } from './operation-log.js'
import type { Plan, PlannedOperation } from './plan.js'
import { randomStream } from './random-stream.js'
import { Trace } from './trace.js'
import { type MakeDisk, modelDisk, World } from './world.js'

export interface RunOptions {
  readonly cluster: MakeCluster
  readonly makeDisk?: MakeDisk
  /** Told every line of the trace. */
  readonly say?: (line: string) => void
}

export interface Verdict {
  readonly plan: Plan
  readonly history: History
  readonly violations: readonly Violation[]
  /** Faults injected by kind, frames by fate, events of nodes, and what checkers count. */
  readonly counts: Readonly<Record<string, number>>
  readonly traceHash: string
  readonly happenings: number
  /** Virtual milliseconds that the run took. */
  readonly virtualMs: number
}

/** Nodes get to know each other before the first operation. */
const warmUpMs = 500
/** After the last fault everything must work again within this time. */
const recoveryMs = 15_000
/** And every partition must be where it should be. */
const movesMs = 120_000
/** How long one of the phases at the end may take before the run gives up on it. */
const phaseMs = 60_000
const clientsOfPhases = { probe: -1, repair: -2, final: -3, overwrite: -4 } as const

/**
 * One run: faults and clients together; then every fault ends, and within a bound everything must work again, and all
 * replicas become the same. The verdict is on what the clients saw and on what is left on the disks.
 */
export async function simulationRun(plan: Plan, options: RunOptions): Promise<Verdict> {
  const run = new SimulationRun(plan, options)
  return run.run()
}

class SimulationRun {
  readonly #plan: Plan
  readonly #options: RunOptions
  readonly #trace: Trace
  readonly #world: World
  readonly #log = new OperationLog()
  readonly #keys: { bucket: PlannedOperation['bucket']; key: string }[]

  constructor(plan: Plan, options: RunOptions) {
    this.#plan = plan
    this.#options = options
    this.#trace = new Trace(options.say)
    const { factory, owners } = options.cluster(plan)
    this.#world = new World({
      seed: plan.seed,
      latencyMs: plan.latencyMs,
      syncMs: plan.syncMs,
      factory,
      owners,
      makeDisk: options.makeDisk ?? modelDisk,
      bugs: new Set<DeliberateBug>(plan.bugs),
      losesDisks: plan.faults.some(({ kind }) => kind === diskLost.name),
      trace: this.#trace,
    })
    const names = new Map(
      plan.operations.flatMap(({ bucket, keys }) => keys.map((key) => [`${bucket.name}/${key}`, { bucket, key }])),
    )
    this.#keys = [...names.values()]
  }

  async run(): Promise<Verdict> {
    const plan = this.#plan
    const world = this.#world
    for (let i = 0; i < plan.nodes; i++) world.addNode().jumpClock(plan.clockErrorsMs[i] ?? 0)
    const boot = randomStream(plan.seed, 'boot')
    for (const node of world.nodes) world.at(boot.next() * 50, () => node.start())
    const nemesis = new Nemesis(world, plan.faults)
    await world.run(warmUpMs)
    const clients = this.#startClients(plan.operations)
    const done = () => clients.every(({ isDone }) => isDone)
    await world.run(plan.healAtMs)
    nemesis.heal()
    await world.run(plan.healAtMs + 2000, done)
    for (const client of clients) client.stop()
    await world.run(world.nowMs + phaseMs, done)
    await world.run(world.nowMs + recoveryMs)
    await this.#settle()
    const probes = await this.#phase('probe')
    await this.#changeOnceMore()
    // What a read finds in disagreement it repairs, so that two rounds over every key are a repair.
    await this.#phase('repair')
    await this.#phase('repair')
    const finalReads = await this.#phase('final')
    await world.run(world.nowMs + 5000)
    const copies = this.#copies()
    // No clock of the past may have left behind what nobody can overwrite.
    const overwrites = await this.#phase('overwrite')
    return this.#verdict(nemesis, { probes: [...probes, ...overwrites], finalReads, copies })
  }

  #startClients(planned: readonly PlannedOperation[]): Client[] {
    const clients: Client[] = []
    for (const index of new Set(planned.map(({ client }) => client))) {
      const own = planned.filter(({ client }) => client === index)
      const client = new Client(this.#world, `client ${index}`, own, this.#log)
      clients.push(client)
      client.start()
    }
    return clients
  }

  /** Operations that the plan does not name, after the faults: what they see is returned apart from the rest. */
  async #phase(phase: keyof typeof clientsOfPhases): Promise<Operation[]> {
    const before = this.#log.operations.length
    const client = new Client(this.#world, phase, this.#phaseOperations(phase), this.#log)
    client.start()
    await this.#world.run(this.#world.nowMs + phaseMs, () => client.isDone)
    return this.#log.takeAfter(before)
  }

  /** Moves end by themselves; then every node has heard of it. */
  async #settle(): Promise<void> {
    const world = this.#world
    const isAtRest = () => {
      const { topology } = world
      return topology === undefined || (topology.moves.length === 0 && movesWanted(topology).length === 0)
    }
    await world.run(world.nowMs + movesMs, isAtRest)
    if (!isAtRest()) world.failures.push(`moves have not ended ${movesMs} ms after the faults`)
    await world.run(world.nowMs + 3000)
  }

  /** The topology can be changed again: through the first node, one in the middle and the last, one after the other. */
  async #changeOnceMore(): Promise<void> {
    const world = this.#world
    // Who is to leave may be gone before it has the answer.
    const staying = world.topology?.members.filter(({ state }) => state === 'joining' || state === 'up') ?? []
    const serving = world.nodes.filter(
      ({ isRetired, machine, identity }) =>
        !isRetired && machine?.change !== undefined && staying.some(({ id }) => id === identity.id),
    )
    for (const place of new Set([0, serving.length >> 1, serving.length - 1])) {
      const index = serving[place]?.index
      if (index === undefined) return
      const options = { n: 1, r: 1, w: 1, resolution: lww }
      const change = { type: 'createBucket', name: `after${index}`, options } as const
      const seen = world.change(index, change, index.toString(16).padStart(16, 'f'), 10_000)
      await world.run(world.nowMs + 12_000, () => seen.endedAtMs <= world.nowMs)
      if (seen.outcome !== 'ok')
        world.failures.push(`after the faults a change through node ${index} is ${seen.outcome}`)
    }
  }

  #phaseOperations(phase: keyof typeof clientsOfPhases): PlannedOperation[] {
    const base = {
      client: clientsOfPhases[phase],
      thinkMs: 1,
      withContext: false,
      ifAbsent: false,
      expiresInMs: 0,
      timeoutMs: 2000,
      attempts: 1,
      padding: 0,
    }
    if (phase === 'overwrite')
      return this.#keys.flatMap(({ bucket, key }, number) => {
        const coordinator = (number + 1) % this.#plan.nodes
        const each = { ...base, bucket, keys: [key], level: 'quorum', coordinator, withContext: true } as const
        return [
          { ...each, kind: 'get', number: 2 * number },
          { ...each, kind: 'put', number: 2 * number + 1 },
        ] as const
      })
    if (phase !== 'probe')
      return this.#keys.map(({ bucket, key }, number) => {
        const coordinator = number % this.#plan.nodes
        return { ...base, number, kind: 'get', bucket, keys: [key], level: 'all', coordinator }
      })
    // Through each node one write and one read of a key of its own.
    const serving = this.#world.nodes.filter(({ isRetired }) => !isRetired)
    return serving.flatMap(({ index: coordinator }) => {
      const bucket = this.#plan.buckets[coordinator % this.#plan.buckets.length]!
      const probe = { ...base, bucket, keys: [`probe${coordinator}`], level: 'quorum', coordinator } as const
      return [
        { ...probe, kind: 'put', number: 2 * coordinator },
        { ...probe, kind: 'get', number: 2 * coordinator + 1 },
      ] as const
    })
  }

  #copies(): ReplicaCopy[] {
    const cluster = this.#options.cluster(this.#plan)
    return this.#keys.flatMap(({ bucket, key }) => cluster.copies(this.#world, bucket, key))
  }

  #verdict(nemesis: Nemesis, after: Pick<History, 'probes' | 'finalReads' | 'copies'>): Verdict {
    const plan = this.#plan
    const world = this.#world
    for (const operation of this.#log.operations) {
      // A frame may still be on its way to the next life for a moment.
      const untilMs = operation.endedAtMs + 100
      if (world.endsOfLives.some((atMs) => atMs >= operation.beganAtMs && atMs <= untilMs)) operation.contested = true
    }
    const history: History = {
      operations: this.#log.operations,
      ...after,
      topologies: world.topologies,
      changes: world.changes,
      finalTopologies: world.finalTopologies(),
      clockErrorMaxMs: Math.max(...world.nodes.map(({ clockErrorMaxMs }) => clockErrorMaxMs)),
      damagedNodes: nemesis.damagedNodes,
      lostDisks: world.nodes.filter(({ hasLostDisk }) => hasLostDisk).length,
    }
    const { violations, counts } = check(history)
    const thrown = world.failures.map((message) => ({ checker: 'exceptions', message, operations: [] }))
    this.#trace.text(JSON.stringify(history))
    return {
      plan,
      history,
      violations: [...thrown, ...violations],
      counts: {
        operations: history.operations.length,
        ...counts,
        epochs: world.topology?.epoch ?? 0,
        contested: history.operations.filter(({ kind, contested }) => kind !== 'get' && contested).length,
        ...prefixed('fault', nemesis.injected),
        ...prefixed('network', { ...world.network.counts }),
        ...prefixed('event', world.events),
      },
      traceHash: this.#trace.hash,
      happenings: world.happenings,
      virtualMs: world.nowMs,
    }
  }
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}.${name}`, count]))
}
