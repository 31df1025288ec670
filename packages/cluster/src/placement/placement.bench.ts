import { claimPartitions } from './claim-policy.js'
import { preferenceList } from './preference-list.js'
import { buildRing, type PlacementMember } from './ring.js'
import { partitionOfSlot, slotOf } from './slot.js'

const members: PlacementMember[] = Array.from({ length: 10 }, (_, i) => ({
  number: i + 1,
  id: (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(16, '0'),
  host: `h${i}`,
  zone: `z${i % 3}`,
}))

export const cases = {
  'ring: key to owners': () => {
    const claim = claimPartitions(members, 1024, 3)
    const key = Buffer.from('user:0123456789:name')
    return () => claim[partitionOfSlot(slotOf(key, 0, key.length), 1024)]
  },
  'ring: owners and fallbacks of a partition': () => {
    const claim = claimPartitions(members, 1024, 3)
    const ring = buildRing(members)
    let partition = 0
    return () => {
      partition = (partition + 1) & 1023
      return preferenceList(claim, ring, partition)
    }
  },
  'claim: eleventh member joins, 1024 partitions': () => {
    const claim = claimPartitions(members, 1024, 3)
    const joined = [...members, { number: 11, id: '00000000deadbeef', host: 'h11', zone: 'z1' }]
    return () => claimPartitions(joined, 1024, 3, claim)
  },
}
