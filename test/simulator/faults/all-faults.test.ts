import { describe, expect, test } from 'vitest'
import { caskadeCluster } from '../caskade-cluster.js'
import { naiveCluster } from '../naive-cluster.js'
import { linkOf } from '../network.js'
import { randomStream } from '../random-stream.js'
import { simulationRun } from '../simulation-run.js'
import { drawPlan } from '../swarm-policy.js'
import { Trace } from '../trace.js'
import { modelDisk, World } from '../world.js'
import { faultKinds } from './all-faults.js'
import { crashOnAcknowledgement, crashOnAdoption } from './targeted.js'
import { abortedMove, join, leave, voters } from './topology.js'

const nodes = 5

async function smallWorld(): Promise<World> {
  const { factory } = naiveCluster(drawPlan({ seed: 1, nodes }))
  const world = new World({
    seed: 1,
    latencyMs: [1, 2],
    syncMs: [0.1, 0.5],
    factory,
    owners: () => [1, 3],
    makeDisk: modelDisk,
    bugs: new Set(),
    trace: new Trace(),
  })
  for (let i = 0; i < nodes; i++) world.addNode().start()
  await world.run(10)
  return world
}

/** All that a fault may change. */
function stateOf(world: World) {
  const indexes = world.nodes.map(({ index }) => index)
  return {
    nodes: world.nodes.map(({ isUp, isPaused, clockErrorMs, disk }) => ({
      isUp,
      isPaused,
      clockErrorMs,
      full: disk.full,
      slownessMs: disk.slownessMs,
    })),
    cut: indexes.flatMap((from) => indexes.map((to) => world.network.isCut(linkOf(from, to)))),
  }
}

/** Frames that arrive of 200 sent on every link. */
function arrivals(world: World): number[] {
  return world.nodes.flatMap((_, from) =>
    world.nodes.flatMap((_, to) =>
      Array.from({ length: 40 }, () => world.network.arrivals(linkOf(from, to), world.nowMs)).map(
        (moments) => moments.reduce((sum, atMs) => sum + atMs, 0) - moments.length * world.nowMs,
      ),
    ),
  )
}

/** These need a topology, or a moment to wait for. */
const others = new Set([join, leave, voters, abortedMove, crashOnAcknowledgement, crashOnAdoption])

describe.each([...faultKinds.values()].filter((fault) => !others.has(fault)))('$name', (fault) => {
  const draw = (seed: number) =>
    fault.draw(randomStream(seed, 'test'), { nodes, victim: 2, second: undefined, intensity: 1 })

  test('its plan is plain data', () => {
    const details = draw(1)
    expect(JSON.parse(JSON.stringify(details))).toEqual(details)
  })

  test('it ends, and leaves nothing behind', async () => {
    const world = await smallWorld()
    const before = stateOf(world)
    for (let seed = 1; seed <= 10; seed++) {
      const end = fault.begin(world, draw(seed), 100)
      await world.run(world.nowMs + 100)
      end()
      await world.run(world.nowMs + 100)
      expect(stateOf(world), `seed ${seed}`).toEqual(before)
    }
    expect(world.failures).toEqual([])
  })

  test.skipIf(fault.damages)('it does something', async () => {
    const effects = new Set<boolean>()
    for (let seed = 1; seed <= 5; seed++) {
      const world = await smallWorld()
      const untouched = await smallWorld()
      fault.begin(world, draw(seed), 100)
      effects.add(
        JSON.stringify([stateOf(world), arrivals(world)]) !== JSON.stringify([stateOf(untouched), arrivals(untouched)]),
      )
    }
    expect(effects).toContain(true)
  })
})

test('bit rot is found when the record is read', async () => {
  const world = await smallWorld()
  const { disk } = world.nodes[2]!
  disk.open((store) => {
    store.put(0, new Uint8Array([1]), new Uint8Array([2]))
    faultKinds.get('bit-rot')!.begin(world, { node: 2, records: 10 }, 1)
    expect(() => store.get(0, new Uint8Array([1]))).toThrow('does not match its checksum')
  })
})

test('power fails at the owners at the moment of an acknowledgement, once, until the fault ends', async () => {
  const world = await smallWorld()
  const up = () => world.nodes.map(({ isUp }) => isUp)
  const end = crashOnAcknowledgement.begin(world, { owner: 'all', delayMs: 2 }, 100)
  await world.run(world.nowMs + 10)
  expect(up()).toEqual([true, true, true, true, true])
  const bucket = { name: 'b', rule: 'lww', n: 3, r: 2, w: 2 } as const
  for (let i = 0; i < 2; i++) {
    world.notice({ type: 'acknowledged', bucket, key: 'k' })
    await world.run(world.nowMs + 10)
    expect(up()).toEqual([true, false, true, false, true])
  }
  end()
  await world.run(world.nowMs + 10)
  expect(up()).toEqual([true, true, true, true, true])
})

test('power fails everywhere when a topology comes into force', async () => {
  const world = await smallWorld()
  const end = crashOnAdoption.begin(world, { delayMs: 0 }, 100)
  world.notice({ type: 'new-epoch' })
  await world.run(world.nowMs + 1)
  expect(world.nodes.some(({ isUp }) => isUp)).toBe(false)
  end()
})

test('a power failure that was to come after the end of its fault does not come', async () => {
  const world = await smallWorld()
  const end = crashOnAdoption.begin(world, { delayMs: 2 }, 1)
  world.notice({ type: 'new-epoch' })
  await world.run(world.nowMs + 1)
  end()
  await world.run(world.nowMs + 10)
  expect(world.nodes.every(({ isUp }) => isUp)).toBe(true)
})

test('whoever asks in is let in; other voters, departures and moves make epochs', { timeout: 60_000 }, async () => {
  const kinds = [join, voters, leave, abortedMove]
  const faults = kinds.map((kind, i) => ({
    kind: kind.name,
    atMs: 1000 + 700 * i,
    durationMs: 500,
    details: kind.draw(randomStream(1, 'test'), { nodes, victim: 2, second: undefined, intensity: 1 }),
  }))
  const plan = { ...drawPlan({ seed: 1, nodes, faults: [] }), faults }
  const { counts, violations } = await simulationRun(plan, { cluster: caskadeCluster })
  expect(violations).toEqual([])
  expect(counts['event.joined']).toBe(1)
  // Joined, other voters, one leaves, moves begun, moves called off.
  expect(counts.epochs).toBeGreaterThanOrEqual(6)
})
