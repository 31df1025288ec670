import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actorOf, epochOfActor, memberNumberMax, memberOfActor, mintingEpochMax } from './actor.js'
import {
  findCounter,
  leftKnowsMore,
  readVector,
  rightKnowsMore,
  vectorEntryBytes,
  vectorFault,
  vectorOrder,
  writeVector,
} from './vector-bytes.js'
import {
  counterOf,
  covers,
  descends,
  emptyVector,
  joinVectors,
  type VersionVector,
  versionOf,
  withDot,
} from './version-vector.js'

const actors = [actorOf(1, 0), actorOf(1, 1), actorOf(2, mintingEpochMax), actorOf(memberNumberMax, mintingEpochMax)]
const vectors: fc.Arbitrary<VersionVector> = fc
  .tuple(...actors.map(() => fc.nat(3)))
  .map((counters) => counters.flatMap((counter, i) => (counter === 0 ? [] : [actors[i]!, counter])))

function encode(vector: VersionVector): Uint8Array {
  const bytes = new Uint8Array(7 + (vector.length / 2) * vectorEntryBytes)
  expect(writeVector(bytes, 7, vector)).toBe(bytes.length)
  return bytes
}

test('an actor is its member and its epoch', () => {
  for (const actor of actors) {
    expect(Number.isSafeInteger(actor)).toBe(true)
    expect(actorOf(memberOfActor(actor), epochOfActor(actor))).toBe(actor)
  }
  for (const [member, epoch] of [
    [0, 0],
    [memberNumberMax + 1, 0],
    [1, -1],
    [1, mintingEpochMax + 1],
    [1.5, 0],
  ])
    expect(() => actorOf(member!, epoch!)).toThrow(RangeError)
})

describe('laws', () => {
  test('descends is a partial order', () => {
    fc.assert(
      fc.property(vectors, vectors, vectors, (a, b, c) => {
        expect(descends(a, a)).toBe(true)
        if (descends(a, b) && descends(b, a)) expect(a).toEqual(b)
        if (descends(a, b) && descends(b, c)) expect(descends(a, c)).toBe(true)
        expect(descends(a, b)).toBe(actors.every((actor) => counterOf(a, actor) >= counterOf(b, actor)))
      }),
      { numRuns: 1000 },
    )
  })

  test('a join is the least that descends from both', () => {
    fc.assert(
      fc.property(vectors, vectors, vectors, (a, b, c) => {
        const join = joinVectors(a, b)
        expect(descends(join, a) && descends(join, b)).toBe(true)
        if (descends(c, a) && descends(c, b)) expect(descends(c, join)).toBe(true)
        expect(joinVectors(b, a)).toEqual(join)
        expect(joinVectors(join, c)).toEqual(joinVectors(a, joinVectors(b, c)))
        expect(joinVectors(a, emptyVector)).toEqual(a)
      }),
    )
  })

  test('a dot adds itself, and the version grows with it', () => {
    fc.assert(
      fc.property(vectors, fc.constantFrom(...actors), (vector, actor) => {
        const counter = counterOf(vector, actor) + 1
        expect(covers(vector, actor, counter)).toBe(false)
        const next = withDot(vector, actor, counter)
        expect(covers(next, actor, counter)).toBe(true)
        expect(versionOf(next)).toBe(versionOf(vector) + 1)
        expect(withDot(next, actor, counter)).toBe(next)
      }),
    )
  })

  test('as bytes they compare and read the same', () => {
    fc.assert(
      fc.property(vectors, vectors, (a, b) => {
        const left = encode(a)
        const right = encode(b)
        expect(readVector(left, 7, a.length / 2)).toEqual(a)
        expect(vectorFault(left, 7, a.length / 2)).toBeUndefined()
        const order = vectorOrder(left, 7, a.length / 2, right, 7, b.length / 2)
        expect((order & leftKnowsMore) === 0).toBe(descends(b, a))
        expect((order & rightKnowsMore) === 0).toBe(descends(a, b))
        for (const actor of actors) expect(findCounter(left, 7, a.length / 2, actor)).toBe(counterOf(a, actor))
      }),
      { numRuns: 1000 },
    )
  })
})
