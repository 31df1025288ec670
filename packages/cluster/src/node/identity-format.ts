import type { StoredIdentity } from './identity-store.js'

/* docs/cluster/identity-format.md: u32 magic "CPI1" | 8 cluster id | 8 node id | 8 life | u32 member | u32 incarnation */

const magic = 0x31495043
const bytes = 36

export function encodeIdentity({ clusterId, id, life, member, incarnation }: StoredIdentity): Uint8Array {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUInt32LE(magic, 0)
  buffer.write(clusterId, 4, 'hex')
  buffer.write(id, 12, 'hex')
  buffer.write(life, 20, 'hex')
  buffer.writeUInt32LE(member, 28)
  buffer.writeUInt32LE(incarnation, 32)
  return buffer
}

/** `undefined`: not of this format. */
export function decodeIdentity(stored: Uint8Array): StoredIdentity | undefined {
  const buffer = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  if (buffer.length !== bytes || buffer.readUInt32LE(0) !== magic) return undefined
  return {
    clusterId: buffer.toString('hex', 4, 12),
    id: buffer.toString('hex', 12, 20),
    life: buffer.toString('hex', 20, 28),
    member: buffer.readUInt32LE(28),
    incarnation: buffer.readUInt32LE(32),
  }
}
