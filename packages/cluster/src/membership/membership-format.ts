import type { NodeId } from '../node/identity.js'
import type { Verdict } from '../node/liveness.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { messageTypeBase } from '../wire/message-type.js'
import { nodesMax } from './membership-config.js'
import type { Rumour } from './rumour.js'

/* docs/cluster/membership-format.md. Every message ends in rumours: a count (2), then each. */

const base = messageTypeBase.membership

export const membershipType = {
  ping: base,
  pingRequest: base + 1,
  ack: base + 2,
  nack: base + 3,
  gossip: base + 4,
  pushPull: base + 5,
  pushPullReply: base + 6,
} as const

export interface MembershipMessage {
  /** Of the probe, by the one who asks; 0 where there is none. */
  readonly sequence: number
  /** Of a ping request: whom to ping. Else nobody. */
  readonly target: NodeId
  readonly rumours: readonly Rumour[]
}

const verdicts: readonly Verdict[] = ['alive', 'suspect', 'dead', 'left']
const addressBytesMax = 255
const rumourFixedBytes = 8 + 1 + 4 * 4 + 8 + 2

export const rumourBytes = ({ address }: Rumour): number => rumourFixedBytes + Buffer.byteLength(address)

export function encodeMembership({ sequence, target, rumours }: MembershipMessage): Uint8Array {
  const writer = new ByteWriter(64 + 64 * rumours.length)
  writer.u32(sequence)
  writer.bytes(Buffer.from(target, 'hex'))
  writer.u16(rumours.length)
  for (const rumour of rumours) {
    writer.bytes(Buffer.from(rumour.id, 'hex'))
    writer.u8(verdicts.indexOf(rumour.verdict))
    writer.u32(rumour.incarnation)
    writer.u32(rumour.boot)
    writer.u32(rumour.run)
    writer.u32(rumour.refutation)
    writer.bytes(Buffer.from(rumour.accuser, 'hex'))
    writer.shortBytes(Buffer.from(rumour.address, 'utf8'))
  }
  return writer.copy()
}

/** @throws MalformedFrameError */
export function decodeMembership(body: Uint8Array): MembershipMessage {
  const reader = new ByteReader()
  reader.reset(body)
  const sequence = reader.u32()
  const target = readId(reader)
  const count = reader.u16()
  if (count > nodesMax) throw new MalformedFrameError(reader.position, `${count} rumours, at most ${nodesMax}`)
  const rumours: Rumour[] = []
  for (let i = 0; i < count; i++) rumours.push(readRumour(reader))
  reader.expectEnd()
  return { sequence, target, rumours }
}

function readRumour(reader: ByteReader): Rumour {
  const id = readId(reader)
  const verdict = verdicts[reader.u8()]
  if (verdict === undefined) throw new MalformedFrameError(reader.position, 'no such verdict')
  const [incarnation, boot, run, refutation] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()]
  const accuser = readId(reader)
  const address = reader.shortBytes()
  if (address.length > addressBytesMax)
    throw new MalformedFrameError(reader.position, `an address of ${address.length} bytes`)
  return { id, verdict, incarnation, boot, run, refutation, accuser, address: Buffer.from(address).toString('utf8') }
}

const readId = (reader: ByteReader) => Buffer.from(reader.bytes(8)).toString('hex')
