import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { createTopology } from './create-topology.js'
import type { Topology } from './topology.js'
import { decodeTopology, encodeTopology } from './topology-format.js'

const small: Topology = {
  ...createTopology({
    nodes: [1, 2].map((n) => ({ id: `000000000000000${n}`, host: `h${n}`, zone: 'z', address: `10.0.0.${n}:7381` })),
    partitions: 2,
  }),
  epoch: 2 ** 33 + 5,
  claim: [[1], [2]],
  target: [[1], [1, 2]],
  moves: [{ partition: 1, to: [1, 2], phase: 'readNew' }],
  changedAt: [1, 2 ** 33 + 5],
  buckets: [
    {
      name: 'a',
      number: 1,
      n: 2,
      r: 1,
      w: 2,
      held: 1,
      grownAt: 2 ** 33 + 7,
      resolution: { rule: 'merge', name: 'union', siblingsMax: 64 },
    },
  ],
  voters: [1],
  previousVoters: [1, 2],
  recentChanges: ['00000000000000ff'],
}

const golden = [
  '43505431', // magic
  'd0384aba', // checksum
  '0500000002000000', // epoch
  '03000000', // next member
  '03', // replicas
  '10000000', // moves at most
  '0200', // members
  '01000000 0000000000000001 01000000 0000000000000000 01 02006831 01007a 0d0031302e302e302e313a37333831',
  '02000000 0000000000000002 01000000 0000000000000000 01 02006832 01007a 0d0031302e302e302e323a37333831',
  '0200', // partitions
  '01 01000000  01 02000000', // claim
  '0100 0100 02 01000000 02000000', // target of partition 1
  '0100 0100 01 02 01000000 02000000', // its move
  '0100000000000000 0500000002000000', // epochs of change
  '0100 010061 0100 02 01 02 01 0700000002000000 02 40 0500756e696f6e', // bucket
  '02 01000000 02000000', // voters before
  '01 01000000', // voters
  '01 00000000000000ff', // recent changes
]
  .join('')
  .replaceAll(' ', '')

test('golden', () => {
  expect(Buffer.from(encodeTopology(small)).toString('hex')).toBe(golden)
  expect(decodeTopology(Buffer.from(golden, 'hex'))).toEqual(small)
})

test('golden: the first topology of ten nodes is the same on every node and in every release', () => {
  const nodes = Array.from({ length: 10 }, (_, i) => ({
    id: `${i}`.repeat(16),
    host: `host${i}`,
    zone: `zone${i % 3}`,
    address: `host${i}:7381`,
  }))
  const bytes = encodeTopology(createTopology({ nodes, partitions: 1024 }))
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(
    '16fd69be0986a5c6b357a7ac91b86b54b4c2f0bc7ee0d902b5a85201690d03fd',
  )
})

test('a damaged or cut topology is refused, whichever bit it is', () => {
  const bytes = encodeTopology(small)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(bytes)
    damaged[bit >>> 3]! ^= 1 << (bit & 7)
    expect(() => decodeTopology(damaged)).toThrow(MalformedFrameError)
  }
  for (let end = 0; end < bytes.length; end++)
    expect(() => decodeTopology(bytes.subarray(0, end))).toThrow(MalformedFrameError)
})

test('what a peer makes up is refused, though its checksum is right', () => {
  const wrong: [string, Partial<Topology>][] = [
    ['an owner that is no member', { claim: [[1], [9]] }],
    ['an owner twice', { claim: [[1, 1], [2]] }],
    ['a voter that is no member', { voters: [9] }],
    ['no voters', { voters: [] }],
    ['epoch 0', { epoch: 0, changedAt: [0, 0] }],
    ['members out of order', { members: small.members.toReversed() }],
    ['an epoch of change to come', { changedAt: [1, 2 ** 34] }],
    ['three partitions', { partitions: 3, claim: [[1], [2], [1]], target: [[1], [2], [1]], moves: [] }],
  ]
  for (const [what, change] of wrong)
    expect(() => decodeTopology(encodeTopology({ ...small, ...change })), what).toThrow(MalformedFrameError)
})
