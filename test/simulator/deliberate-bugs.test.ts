import type { DeliberateBug } from '@caskade/cluster'
import { expect, test } from 'vitest'
import { caskadeCluster } from './caskade-cluster.js'
import type { Plan, PlannedOperation } from './plan.js'
import { simulationRun } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

interface Hunt {
  readonly bug: DeliberateBug
  /** It is found within so many seeds, from 1 on. */
  readonly seeds: number
  readonly nodes: number
  /** Only these faults: those that bring it out. Absent: all. */
  readonly faults?: readonly string[]
  /** All of them in every run. */
  readonly always?: true
  readonly aim?: (plan: Plan) => Plan
}

const each =
  (aim: (operation: PlannedOperation) => PlannedOperation) =>
  (plan: Plan): Plan => ({ ...plan, operations: plan.operations.map(aim) })

/** Everybody at two keys. */
const contended = each((operation) => ({
  ...operation,
  keys: [operation.keys[0]!.replace(/\d+/, (place) => String(Number(place) % 2))],
}))
const slowDisks = (plan: Plan): Plan => ({ ...plan, syncMs: [20, 300] })
/** Every other put deletes. */
const deleting = each((operation) => {
  const { kind, bucket, number } = operation
  const deletes = kind === 'put' && bucket.rule !== 'union' && number % 2 === 0
  return { ...operation, kind: deletes ? 'delete' : kind, level: 'quorum' }
})

/** Every bucket waits for so many answers, whatever was drawn. */
const withQuorums = (plan: Plan, r: number, w: number): Plan => ({
  ...plan,
  buckets: plan.buckets.map((bucket) => ({ ...bucket, r, w })),
  operations: plan.operations.map((operation) => ({ ...operation, bucket: { ...operation.bucket, r, w } })),
})

/** So many operations of so many clients in place of the drawn ones, made from these: reads and writes of some keys in turn. */
function busy(plan: Plan, shape: { count: number; clients: number; keys: number; thinkMaxMs: number }): Plan {
  const { count, clients, keys, thinkMaxMs } = shape
  const operations = Array.from(
    { length: count },
    (_, number): PlannedOperation => ({
      ...plan.operations[number % plan.operations.length]!,
      number,
      client: number % clients,
      kind: number % 2 === 0 ? 'get' : 'put',
      keys: [`key${(5 * (number >> 4) + number) % keys}`],
      level: 'quorum',
      attempts: 1,
      timeoutMs: 1000,
      thinkMs: (37 * number) % thinkMaxMs,
    }),
  )
  return { ...plan, operations }
}

/** Three nodes join four; one old owner after the other hears nothing for a while, and answers reads alone meanwhile. */
function growing(plan: Plan): Plan {
  const join = (atMs: number) => ({ kind: 'join', atMs, durationMs: 1, details: {} })
  const cut = (_: unknown, second: number) => ({
    kind: 'partition-full',
    atMs: 1000 * (second + 1),
    durationMs: 900,
    details: { side: [1 + (second % 3)] },
  })
  const faults = [500, 600, 700].map(join).concat(Array.from({ length: 9 }, cut))
  const shaped = busy(plan, { count: 1200, clients: 40, keys: 24, thinkMaxMs: 500 })
  return withQuorums({ ...shaped, faults, healAtMs: 12_000 }, 1, 3)
}

/** Half of eight nodes are down until they are held for dead: the others keep hints, which then meet a bad network. */
function hinting(plan: Plan): Plan {
  const down = [0, 1, 2, 3]
  const noise = { loss: 0.5, duplicate: 0, reorder: 0, delay: 0, delayMs: 0 }
  const faults = [
    { kind: 'crash-many', atMs: 500, durationMs: 18_000, details: { nodes: down } },
    { kind: 'loss', atMs: 17_000, durationMs: 7000, details: { nodes: down, noise } },
  ]
  const healAtMs = 24_000
  const operations = plan.operations.map(
    (operation, place): PlannedOperation => ({
      ...operation,
      kind: operation.kind === 'getMany' ? 'get' : operation.kind,
      keys: [`key${place % 40}`],
      level: 'eventual',
      coordinator: 4 + (place % 4),
      thinkMs: Math.floor((operation.thinkMs * 20_000) / plan.healAtMs),
      timeoutMs: 1000,
      attempts: 4,
    }),
  )
  return withQuorums({ ...plan, operations, faults, healAtMs }, 3, 1)
}

/** Three administrators at a time want other voters, over slow links. */
function rivalling(plan: Plan): Plan {
  const { seed, nodes } = plan
  const rival = (round: number, place: number) => {
    const first = seed + 5 * round + 3 * place
    const chosen = (seed + round) % 2 === 0 ? [first, first + 1, first + 2] : [first]
    return {
      chosen: chosen.map((each) => each % nodes),
      id: `00000000000000${round}${place}`,
      through: (round + 2 * place) % nodes,
    }
  }
  const faults = Array.from({ length: 8 }, (_, round) => ({
    kind: 'voters',
    atMs: 500 + 400 * round,
    durationMs: 1,
    details: { rivals: [0, 1, 2].map((place) => rival(round, place)) },
  }))
  return { ...plan, faults, latencyMs: [20, 120], operations: plan.operations.slice(0, 40) }
}

/** Clients of siblings that lose patience long before the nodes do. */
function retried(plan: Plan): Plan {
  const shaped = withQuorums(busy(plan, { count: 300, clients: 16, keys: 12, thinkMaxMs: 500 }), 2, 2)
  const bucket = { ...shaped.buckets[0]!, name: 'siblings', rule: 'siblings' } as const
  const operations = shaped.operations.map((operation) => ({ ...operation, bucket, timeoutMs: 300, attempts: 4 }))
  return { ...shaped, operations, buckets: [bucket], latencyMs: [20, 120] }
}

/**
 * An owner that was removed for dead while it was down comes back, and hears only two nodes that own with its successor what it still holds for its own;
 * clients write there at once, and read from the successor, which hears of nothing. Nothing else can move, as another owner is down.
 */
function returning(plan: Plan): Plan {
  const [successor, returned] = [1, 4]
  const returnsAtMs = 14_000
  const down = (node: number, durationMs: number) => ({ kind: 'crash', atMs: 700, durationMs, details: { node } })
  const remove = { chosen: returned, dead: true, id: '00000000000000aa', through: successor }
  const faults = [
    down(returned, returnsAtMs - 700),
    down(0, 17_300),
    { kind: 'leave', atMs: 900, durationMs: 1, details: remove },
    {
      kind: 'partition-bridge',
      atMs: returnsAtMs - 500,
      durationMs: 4500,
      details: { side: [0, successor], bridge: 2 },
    },
  ]
  const warmUpMs = 500
  const base = busy(plan, { count: 600, clients: 600, keys: 40, thinkMaxMs: 1 }).operations
  const operations = base.map((operation, place): PlannedOperation => {
    const isPut = place < 200
    const afterMs = isPut ? place >> 2 : 150 + 4 * (place - 200)
    return {
      ...operation,
      kind: isPut ? 'put' : 'get',
      thinkMs: returnsAtMs - warmUpMs + afterMs,
      coordinator: isPut ? returned : successor,
    }
  })
  return withQuorums({ ...plan, operations, faults, healAtMs: 18_000, latencyMs: [20, 120], syncMs: [0.1, 0.5] }, 1, 3)
}

const hunts: Hunt[] = [
  { bug: 'sibling-dropped-on-merge', seeds: 10, nodes: 4, faults: ['loss', 'delay'], always: true, aim: contended },
  {
    bug: 'read-repair-without-write-back',
    seeds: 10,
    nodes: 4,
    faults: ['loss', 'delay', 'partition-full'],
    always: true,
    aim: (plan) => withQuorums(busy(plan, { count: 600, clients: 16, keys: 3, thinkMaxMs: 500 }), 2, 2),
  },
  { bug: 'late-reply-counted', seeds: 20, nodes: 4, faults: ['pause', 'delay'] },
  { bug: 'ack-before-write', seeds: 10, nodes: 3, faults: ['crash-on-ack'], always: true, aim: slowDisks },
  { bug: 'ballot-reused', seeds: 10, nodes: 5, faults: ['voters', 'leave'] },
  {
    bug: 'replica-overwrites',
    seeds: 10,
    nodes: 4,
    faults: ['loss', 'delay', 'partition-full'],
    always: true,
    aim: contended,
  },
  {
    bug: 'hint-counts-strictly',
    seeds: 20,
    nodes: 5,
    faults: ['partition-full', 'partition-one-way'],
    always: true,
    aim: contended,
  },
  { bug: 'wall-clock-stamps', seeds: 30, nodes: 3, faults: ['clock-jump'], always: true, aim: contended },
  { bug: 'chosen-by-new-voters-only', seeds: 5, nodes: 9, faults: [], aim: rivalling },
  {
    bug: 'acceptor-answers-early',
    seeds: 10,
    nodes: 3,
    faults: ['voters', 'power-cut', 'crash-on-adopt'],
    always: true,
    aim: slowDisks,
  },
  {
    bug: 'epoch-not-bumped',
    seeds: 20,
    nodes: 3,
    faults: ['crash', 'crash-many', 'power-cut'],
    always: true,
    aim: (plan) => contended(slowDisks(plan)),
  },
  {
    bug: 'tombstone-collected-by-age',
    seeds: 10,
    nodes: 4,
    faults: ['partition-full', 'partition-one-way'],
    always: true,
    aim: (plan) => contended(deleting(plan)),
  },
  { bug: 'life-not-new', seeds: 5, nodes: 4, faults: ['disk-lost'], always: true },
  { bug: 'quorum-in-new-set-only', seeds: 10, nodes: 4, faults: [], aim: growing },
  { bug: 'retry-minted-twice', seeds: 5, nodes: 5, faults: ['loss', 'delay', 'pause'], always: true, aim: retried },
  { bug: 'epoch-unchecked', seeds: 10, nodes: 5, faults: [], aim: returning },
  { bug: 'hint-forgotten-when-sent', seeds: 15, nodes: 8, faults: [], aim: hinting },
]

function planOf({ bug, nodes, faults, always, aim = (plan) => plan }: Hunt, seed: number): Plan {
  const chosen = faults === undefined ? {} : { faults }
  return aim(drawPlan({ seed, nodes, bugs: [bug], ...chosen, ...(always ? { faultChance: 1 } : {}) }))
}

const violations = async (plan: Plan) => (await simulationRun(plan, { cluster: caskadeCluster })).violations

test.each(hunts)('$bug is found within $seeds seeds, and not without it', { timeout: 600_000 }, async (hunt) => {
  for (let seed = 1; seed <= hunt.seeds; seed++) {
    const plan = planOf(hunt, seed)
    if ((await violations(plan)).length === 0) continue
    expect(await violations({ ...plan, bugs: [] }), `seed ${seed} without the bug`).toEqual([])
    return
  }
  expect.fail(`no violation in ${hunt.seeds} seeds`)
})
