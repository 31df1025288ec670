import { describe, expect, test } from 'vitest'
import { naiveCluster } from '../naive-cluster.js'
import { linkOf } from '../network.js'
import { randomStream } from '../random-stream.js'
import { drawPlan } from '../swarm-policy.js'
import { Trace } from '../trace.js'
import { modelDisk, World } from '../world.js'
import { faultKinds } from './all-faults.js'

const nodes = 5

async function smallWorld(): Promise<World> {
  const { factory } = naiveCluster(drawPlan({ seed: 1, nodes }))
  const world = new World({
    seed: 1,
    latencyMs: [1, 2],
    syncMs: [0.1, 0.5],
    factory,
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

describe.each([...faultKinds.values()])('$name', (fault) => {
  const draw = (seed: number) => fault.draw(randomStream(seed, 'test'), { nodes, victim: 2, intensity: 1 })

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
