import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MembershipWorld } from '../testing/membership-world.js'
import { Membership } from './membership.js'
import { defaultMembershipConfig as config } from './membership-config.js'
import { decodeMembership, encodeMembership, membershipType } from './membership-format.js'
import { nobody, type Rumour, supersedes } from './rumour.js'
import { transmitLimit } from './rumour-queue.js'
import { suspicionBounds, suspicionTimeoutMs } from './suspicion-timeout.js'

const all = (verdict: string) => new Set([verdict])

describe('verdicts', () => {
  test('a node that dies is held for dead by everybody within the longest suspicion, and nobody else is', () => {
    const world = new MembershipWorld(1, 12)
    world.run(10_000)
    world.crash(5)
    // Somebody probes it within two rounds.
    world.run(2 * 12 * config.probeIntervalMs + suspicionBounds(12, config).maxMs, () => world.verdicts(5).has('dead'))
    world.run(2000)
    expect(world.verdicts(5)).toEqual(all('dead'))
    expect(world.falseDeaths).toEqual([])
  })

  test('a node that restarts is alive at once, though it was held for dead', () => {
    const world = new MembershipWorld(2, 8)
    world.crash(3)
    world.run(60_000)
    expect(world.verdicts(3)).toEqual(all('dead'))
    world.start(3)
    world.meet(3, [0, 1, 2, 3, 4, 5, 6, 7])
    world.run(3000)
    expect(world.verdicts(3)).toEqual(all('alive'))
  })

  test('a node that says goodbye has left', () => {
    const world = new MembershipWorld(3, 8)
    world.run(3000)
    world.machine(2).leave({ monotonicMs: world.nowMs, wallMs: 0 })
    world.run(2000)
    expect(world.verdicts(2)).toEqual(all('left'))
  })

  test('two sides of a partition hold each other for dead, and find each other when it heals', () => {
    const world = new MembershipWorld(4, 10)
    world.run(5000)
    world.link = (a, b) => a < 5 === b < 5
    world.run(120_000)
    expect(world.verdicts(0)).toEqual(new Set(['alive', 'dead']))
    world.link = () => true
    world.run(20_000)
    for (let node = 0; node < 10; node++) expect(world.verdicts(node), `node ${node}`).toEqual(all('alive'))
  })

  test('a one-way cut between two nodes harms nobody: others probe in their stead', () => {
    const world = new MembershipWorld(5, 8)
    world.link = (a, b) => !(a === 0 && b === 1)
    world.run(120_000)
    expect(world.falseDeaths).toEqual([])
  })

  test('an accusation that was refuted before the accuser could hear it is refuted again', () => {
    const world = new MembershipWorld(8, 8, { pushPullIntervalMs: 1e9, reconnectIntervalMs: 1e9 })
    world.run(3000)
    const [, accused] = world.machine(2).rumours()
    world.link = (a, b) => a !== 0 && b !== 0
    const suspicion: Rumour = { ...accused!, verdict: 'suspect', accuser: '0000000000000002' }
    const body = encodeMembership({ sequence: 0, target: nobody, rumours: [suspicion] })
    const now = { monotonicMs: world.nowMs, wallMs: 0 }
    for (const node of [0, 1]) world.machine(node).receive(suspicion.accuser, membershipType.gossip, body, now)
    world.run(5000)
    expect(world.machine(2).rumours()[1]).toMatchObject({ id: accused!.id, refutation: 1, verdict: 'alive' })
    expect(world.machine(0).of(accused!.id)).toBe('suspect')
    world.link = () => true
    world.run(10_000)
    expect(world.machine(0).of(accused!.id)).toBe('alive')
  })

  test('a suspect is told of it again and again until the end, whenever its turn to be probed comes', () => {
    const suspect = '0000000000000002'
    const calls: { ms: number; rumours: readonly Rumour[] }[] = []
    let monotonicMs = 1000
    const sink = {
      send(to: string, type: number, body: Uint8Array) {
        const { sequence, rumours } = decodeMembership(body)
        if (to === suspect && type === membershipType.ping && sequence === 0) calls.push({ ms: monotonicMs, rumours })
      },
      changed: () => {},
      supplanted: () => {},
    }
    const self = { id: '0000000000000001', incarnation: 1, boot: 1, run: 1, address: '' }
    const machine = new Membership({ self, config, random: () => 0.5, sink }, { monotonicMs, wallMs: 0 })
    machine.follow(
      [suspect, '03', '04'].map((id) => ({ id: id.padStart(16, '0'), incarnation: 1, address: '' })),
      {
        monotonicMs,
        wallMs: 0,
      },
    )
    const known = machine.rumours().find(({ id }) => id === suspect)!
    const rumours: Rumour[] = [{ ...known, verdict: 'suspect', accuser: '0000000000000003' }]
    const body = encodeMembership({ sequence: 0, target: nobody, rumours })
    machine.receive('0000000000000003', membershipType.gossip, body, { monotonicMs, wallMs: 0 })
    while (machine.of(suspect) === 'suspect') machine.onTimer({ monotonicMs: ++monotonicMs, wallMs: 0 })
    expect(machine.of(suspect)).toBe('dead')
    expect(calls[0]!.ms - 1000).toBeLessThan(0.6 * (monotonicMs - 1000))
    expect(monotonicMs - calls.at(-1)!.ms).toBeLessThan(1000)
    expect(calls.length).toBeLessThan(8)
    for (const call of calls) expect(call.rumours[0]).toMatchObject({ id: suspect, verdict: 'suspect' })
  })

  test('a paused node accuses nobody when it goes on, and is alive again', () => {
    const world = new MembershipWorld(6, 8)
    world.run(5000)
    for (let round = 0; round < 5; round++) {
      world.pause(4)
      world.run(20_000)
      world.resume(4)
      world.run(5000)
    }
    expect(world.falseDeaths).toEqual([])
    expect(world.verdicts(4)).toEqual(all('alive'))
  })

  test.each([
    [0.05, 0],
    [0.2, 1],
  ])('with a loss of %d at most %d false deaths per node and hour', (loss, allowed) => {
    let hours = 0
    let deaths = 0
    for (let seed = 1; seed <= 4; seed++) {
      const world = new MembershipWorld(seed, 12)
      world.loss = loss
      world.run(360_000)
      hours += (12 * 360) / 3600
      deaths += world.falseDeaths.length
    }
    expect(deaths / hours).toBeLessThanOrEqual(allowed)
  })

  test('a node whose disk is an old copy hears of the later process that it was', () => {
    const world = new MembershipWorld(7, 6)
    world.run(3000)
    world.crash(2)
    world.start(2, 5)
    world.meet(2, [0, 1, 2, 3, 4, 5])
    world.run(5000)
    expect(world.isSupplanted(2)).toBe(false)
    world.crash(2)
    world.start(2, 4)
    world.meet(2, [0, 1, 2, 3, 4, 5])
    world.run(5000)
    expect(world.isSupplanted(2)).toBe(true)
    // Also when the copy is of the last start.
    world.crash(2)
    world.start(2, 5)
    world.meet(2, [0, 1, 2, 3, 4, 5])
    world.run(5000)
    expect(world.isSupplanted(2)).toBe(true)
  })
})

test('news reaches all nodes in O(log n) rounds of gossip, at O(log n) messages per node', () => {
  const rounds = (nodes: number) => {
    const world = new MembershipWorld(nodes, nodes)
    world.run(10_000)
    const knows = (node: number) => world.machine(node).of('00000000000000ff') === 'left'
    world.machine(0).receive('00000000000000ff', 36, leftNode(), { monotonicMs: world.nowMs, wallMs: 0 })
    const before = { ms: world.nowMs, messages: world.messages }
    world.run(60_000, () => Array.from({ length: nodes }, (_, node) => node).every(knows))
    return {
      rounds: (world.nowMs - before.ms) / config.gossipIntervalMs,
      perNode: (world.messages - before.messages) / nodes,
    }
  }
  for (const nodes of [4, 16, 64]) {
    const measured = rounds(nodes)
    expect(measured.rounds, `${nodes} nodes`).toBeLessThanOrEqual(2 + 2 * Math.log2(nodes))
    expect(measured.perNode).toBeLessThanOrEqual(3 * (2 + 2 * Math.log2(nodes)) + 10)
  }
})

/** A gossip message that says that node ff has left. */
function leftNode(): Uint8Array {
  const body = Buffer.alloc(4 + 8 + 2 + 35)
  body.writeUInt16LE(1, 12)
  body[21] = 0xff
  body[22] = 3
  body.writeUInt32LE(1, 23)
  return body
}

describe('formulas', () => {
  test('a suspicion lasts between its bounds, shorter with each confirmation', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 2, max: 9 }),
        fc.nat(12),
        (nodes, mult, confirmed) => {
          const bounds = suspicionBounds(nodes, { ...config, suspicionMult: mult })
          const timeoutMs = suspicionTimeoutMs(bounds, confirmed)
          expect(timeoutMs).toBeGreaterThanOrEqual(bounds.minMs)
          expect(timeoutMs).toBeLessThanOrEqual(bounds.maxMs)
          expect(suspicionTimeoutMs(bounds, confirmed + 1)).toBeLessThanOrEqual(timeoutMs)
          if (confirmed >= bounds.confirmations) expect(timeoutMs).toBeCloseTo(bounds.minMs, 6)
          else if (confirmed === 0) expect(timeoutMs).toBe(bounds.maxMs)
        },
      ),
    )
  })

  test('rumours are passed on λ log n times', () => {
    expect([1, 9, 10, 99, 100, 1000].map((nodes) => transmitLimit(nodes, 4))).toEqual([4, 4, 8, 8, 12, 16])
  })

  test('whatever the order in which rumours come, all believe the same in the end', () => {
    const rumour: fc.Arbitrary<Rumour> = fc.record({
      id: fc.constant('0000000000000001'),
      verdict: fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const),
      incarnation: fc.integer({ min: 1, max: 2 }),
      boot: fc.integer({ min: 1, max: 2 }),
      run: fc.integer({ min: 1, max: 2 }),
      refutation: fc.integer({ min: 0, max: 2 }),
      address: fc.constant(''),
      accuser: fc.constant('0000000000000000'),
    })
    const believe = (rumours: readonly Rumour[]) => rumours.reduce((a, b) => (supersedes(b, a) ? b : a))
    fc.assert(
      fc.property(fc.array(rumour, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (rumours, order) => {
        const shuffled = rumours.map((each) => [order.next().value as number, each] as const)
        const other = shuffled.sort((a, b) => a[0] - b[0]).map(([, each]) => each)
        expect(believe(other)).toEqual(believe(rumours))
      }),
    )
  })
})
