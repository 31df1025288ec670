import { defineFault } from '../fault.js'

/** No room: writes are refused, reads go on. */
export const diskFull = defineFault<{ node: number }>({
  name: 'disk-full',
  durationMaxMs: 6000,
  draw: (random, { nodes }) => ({ node: random.between(0, nodes) }),
  begin(world, { node }) {
    const { disk } = world.nodes[node]!
    disk.full = true
    return () => {
      disk.full = false
    }
  },
})

/** Syncs take long. */
export const slowDisk = defineFault<{ node: number; slownessMs: number }>({
  name: 'disk-slow',
  durationMaxMs: 10_000,
  draw: (random, { nodes, intensity }) => ({
    node: random.between(0, nodes),
    slownessMs: Math.floor(5 + random.next() * random.next() * 3000 * intensity),
  }),
  begin(world, { node, slownessMs }) {
    const { disk } = world.nodes[node]!
    disk.slownessMs += slownessMs
    return () => {
      disk.slownessMs -= slownessMs
    }
  },
})

/**
 * A machine comes back with an empty disk: as another member, for it has forgotten what it promised. Not where its vote would be missed for good: a
 * register that has lost a majority is lost.
 */
export const diskLost = defineFault<{ node: number }>({
  name: 'disk-lost',
  durationMaxMs: 6000,
  draw: (_, { victim }) => ({ node: victim }),
  begin(world, { node: index }) {
    const node = world.nodes[index]!
    const { topology } = world
    const { voters = [], members = [] } = topology ?? {}
    const own = members.filter(({ id }) => id === node.identity.id).map(({ number }) => number)
    const others = voters.filter((number) => !own.includes(number))
    const decides = voters.length > 0 && 2 * others.length <= voters.length
    if (node.isRetired || decides) return () => {}
    node.loseDisk()
    return () => node.start()
  },
})

/** Which of two disks, if both rot, a key may be damaged on. */
const sideOf = (key: Uint8Array) => key.reduce((sum, byte) => sum + byte, 0) % 2

/**
 * Records of one node, or of two nodes in different keys, no longer match their checksums; or the blocks of tables that they are in: those of one node, when it
 * comes back from a power cut.
 */
export const bitRot = defineFault<{ node: number; second: number | undefined; records: number }>({
  name: 'bit-rot',
  durationMaxMs: 1,
  damages: true,
  draw: (random, { victim, second, intensity }) => ({
    node: victim,
    second,
    records: 1 + random.between(0, 1 + 20 * intensity),
  }),
  begin(world, { node, second, records }) {
    const machine = world.nodes[node]!
    const { disk } = machine
    if (disk.rotsWhenOff) {
      machine.crash()
      disk.rot(records)
      return () => machine.start()
    }
    if (second === undefined) disk.rot(records)
    else
      for (const [side, of] of [node, second].entries())
        world.nodes[of]!.disk.rot(records, (key) => sideOf(key) === side)
    return () => {}
  },
})
