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

/** Records of one node no longer match their checksums. */
export const bitRot = defineFault<{ node: number; records: number }>({
  name: 'bit-rot',
  durationMaxMs: 1,
  damages: true,
  draw: (random, { victim, intensity }) => ({ node: victim, records: 1 + random.between(0, 1 + 20 * intensity) }),
  begin(world, { node, records }) {
    world.nodes[node]!.disk.rot(records)
    return () => {}
  },
})
