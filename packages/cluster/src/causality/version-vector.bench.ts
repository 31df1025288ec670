import { actorOf } from './actor.js'
import { vectorEntryBytes, vectorOrder, writeVector } from './vector-bytes.js'
import { descends, joinVectors, type VersionVector } from './version-vector.js'

const older: VersionVector = [1, 2, 3].flatMap((member) => [actorOf(member, 1), 10 + member])
const newer: VersionVector = [1, 2, 3].flatMap((member) => [actorOf(member, 1), 10 + 2 * member])

function encoded(vector: VersionVector): Uint8Array {
  const bytes = Buffer.alloc((vector.length / 2) * vectorEntryBytes)
  writeVector(bytes, 0, vector)
  return bytes
}

export const cases = {
  'version vector: descends, 3 entries': () => () => descends(newer, older),
  'version vector: join, 3 entries': () => () => joinVectors(older, newer),
  'version vector: order of bytes, 3 entries': () => {
    const a = encoded(newer)
    const b = encoded(older)
    return () => vectorOrder(a, 0, 3, b, 0, 3)
  },
}
