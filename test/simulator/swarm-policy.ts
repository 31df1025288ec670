import type { DeliberateBug, Level } from '@caskade/cluster'
import type { SeededRandom } from '../seeded-random.js'
import type { FaultKind, PlannedFault } from './fault.js'
import { faultKinds } from './faults/all-faults.js'
import type { Bucket } from './history.js'
import type { Plan, PlannedOperation } from './plan.js'
import { randomStream } from './random-stream.js'

export interface SwarmOptions {
  readonly seed: number
  readonly nodes: number
  readonly bugs?: readonly DeliberateBug[]
  /** Kinds of fault that may be drawn; absent: all. */
  readonly faults?: readonly string[]
  /** How likely each of them is in a run; absent: as a swarm has it, and one run in ten without any. */
  readonly faultChance?: number
}

/** Some of them, at least one: what is left out of a run gives room to what is in it. */
function some<T>(random: SeededRandom, choices: readonly T[], chance: number): T[] {
  const chosen = choices.filter(() => random.chance(chance))
  return chosen.length > 0 ? chosen : [random.pick(choices)]
}

const quorums = [
  { r: 2, w: 2 },
  { r: 2, w: 2 },
  { r: 1, w: 3 },
  { r: 3, w: 1 },
]

function drawBuckets(random: SeededRandom): Bucket[] {
  const rules = some(random, ['lww', 'siblings', 'union'] as const, 0.6)
  return rules.map((rule) => ({ name: rule, rule, n: 3, ...random.pick(quorums) }))
}

function drawFaults(
  random: SeededRandom,
  kind: FaultKind,
  plan: { nodes: number; victim: number; second: number | undefined; untilMs: number },
): PlannedFault[] {
  const intensity = random.next()
  const count = 1 + random.between(0, 1 + Math.floor(intensity * 8))
  return Array.from({ length: count }, () => ({
    kind: kind.name,
    atMs: 300 + random.between(0, plan.untilMs - 300),
    durationMs: 1 + Math.floor(random.next() * random.next() * kind.durationMaxMs),
    details: kind.draw(random, { nodes: plan.nodes, victim: plan.victim, second: plan.second, intensity }),
  }))
}

/**
 * The plan of a seed. Swarm testing (Groce et al., ISSTA 2012): each run leaves a random part of all features out and draws
 * the intensity of the rest, because features hide one another's faults: who deletes often never gets long chains of siblings.
 */
export function drawPlan({ seed, nodes, bugs = [], faults, faultChance }: SwarmOptions): Plan {
  const random = randomStream(seed, 'swarm')
  const healAtMs = random.between(4000, 16_000)
  const buckets = drawBuckets(random)
  const kinds = [...faultKinds.values()].filter(({ name }) => faults === undefined || faults.includes(name))
  // One run in ten has no faults at all: then nothing may fail.
  const isCalm = random.chance(0.1) && faultChance === undefined
  const enabled = isCalm ? [] : kinds.filter(() => random.chance(faultChance ?? 0.35))
  const victim = randomStream(seed, 'victim').between(0, nodes)
  const second = enabled.some(({ name }) => name === 'disk-lost') ? undefined : drawSecond(seed, nodes, victim)
  const plannedFaults = enabled
    .flatMap((kind) => drawFaults(randomStream(seed, kind.name), kind, { nodes, victim, second, untilMs: healAtMs }))
    .sort((a, b) => a.atMs - b.atMs)
  return {
    seed,
    nodes,
    latencyMs: random.pick([
      [0.05, 0.5],
      [0.2, 3],
      [1, 30],
      [20, 120],
    ] as const),
    syncMs: random.pick([
      [0.1, 0.5],
      [0.1, 0.5],
      [1, 20],
      [20, 300],
    ] as const),
    clockErrorsMs: drawClockErrors(random, nodes),
    buckets,
    operations: drawOperations(random, { buckets, nodes, untilMs: healAtMs }),
    faults: plannedFaults,
    healAtMs,
    bugs,
    features: [...buckets.map(({ rule, r, w }) => `${rule} r=${r} w=${w}`), ...enabled.map(({ name }) => name)],
  }
}

function drawSecond(seed: number, nodes: number, victim: number): number | undefined {
  const random = randomStream(seed, 'second victim')
  return random.chance(0.5) ? (victim + random.between(1, nodes)) % nodes : undefined
}

/** Half of the clusters have good clocks; in the others they are off by up to seconds, within what nodes tolerate. */
function drawClockErrors(random: SeededRandom, nodes: number): number[] {
  const size = random.pick([0, 0, 20, 2000])
  return Array.from({ length: nodes }, () => Math.floor((random.next() * 2 - 1) * size))
}

interface Workload {
  readonly clients: number
  readonly keys: readonly string[]
  readonly kinds: readonly PlannedOperation['kind'][]
  readonly levels: readonly Level[]
  readonly thinkMaxMs: number
  readonly timeoutMs: number
  readonly contextChance: number
  readonly expiryChance: number
  readonly conditionChance: number
  readonly attempts: number
  readonly paddingMax: number
}

function drawOperations(
  random: SeededRandom,
  run: { buckets: readonly Bucket[]; nodes: number; untilMs: number },
): PlannedOperation[] {
  const clients = random.between(2, 9)
  const operations = random.between(60, 400)
  const workload: Workload = {
    clients,
    keys: Array.from({ length: random.pick([1, 3, 8, 20]) }, (_, i) => `key${i}`),
    // Reads and writes are always there.
    kinds: ['put', 'get', ...some(random, ['put', 'get', 'delete', 'getMany'] as const, 0.5)],
    levels: some(random, ['quorum', 'quorum', 'one', 'all', 'eventual', 'session'], 0.5),
    thinkMaxMs: (2 * run.untilMs * clients) / operations,
    timeoutMs: random.pick([300, 1000, 3000]),
    contextChance: random.pick([0.2, 0.8, 1]),
    expiryChance: random.chance(0.25) ? 0.2 : 0,
    conditionChance: random.chance(0.25) ? 0.2 : 0,
    attempts: random.pick([1, 2, 4]),
    paddingMax: random.pick([0, 100, 5000]),
  }
  return Array.from({ length: operations }, (_, number) => drawOperation(random, number, workload, run))
}

function drawOperation(
  random: SeededRandom,
  number: number,
  workload: Workload,
  { buckets, nodes }: { buckets: readonly Bucket[]; nodes: number },
): PlannedOperation {
  const bucket = random.pick(buckets)
  const drawn = random.pick(workload.kinds)
  // What a union holds, it holds for good.
  const kind = drawn === 'delete' && bucket.rule === 'union' ? 'put' : drawn
  const key = random.pick(workload.keys)
  const isPut = kind === 'put'
  return {
    number,
    client: random.between(0, workload.clients),
    thinkMs: Math.floor(random.next() * workload.thinkMaxMs),
    kind,
    bucket,
    keys: kind === 'getMany' ? [...new Set([key, ...some(random, workload.keys, 0.3)])] : [key],
    level: levelOf(kind, random.pick(workload.levels)),
    withContext: random.chance(workload.contextChance),
    ifAbsent: isPut && random.chance(workload.conditionChance),
    expiresInMs:
      isPut && bucket.rule !== 'union' && random.chance(workload.expiryChance) ? random.between(100, 6000) : 0,
    coordinator: random.between(0, nodes),
    timeoutMs: workload.timeoutMs,
    attempts: workload.attempts,
    padding: isPut ? random.between(0, workload.paddingMax + 1) : 0,
  }
}

/** A batch has no session: its keys are read as at any other level. */
const levelOf = (kind: PlannedOperation['kind'], level: Level): Level =>
  kind === 'getMany' && level === 'session' ? 'quorum' : level
