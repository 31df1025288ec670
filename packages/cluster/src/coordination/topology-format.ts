import { crc32 } from 'node:zlib'
import { memberNumberMax } from '../causality/actor.js'
import type { MemberNumber } from '../node/identity.js'
import { slots } from '../placement/slot.js'
import type { Resolution } from '../record/resolution.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { same } from './member-changes.js'
import type { Bucket, Member, MemberState, Move, Topology } from './topology.js'
import { topologyLimits } from './topology-limits.js'

/*
 * docs/cluster/topology-format.md
 *
 *   u32 magic "CPT1" | u32 crc of all that follows | u53 epoch | u32 next member | u8 replicas | u32 moves at most |
 *   members | claim | target, where it differs | moves | epochs of change | buckets | voters, before and now | recent changes
 */
export const topologyMagic = 0x31545043
export const topologyBytesMax = 4 << 20

const states: readonly MemberState[] = ['joining', 'up', 'leaving', 'removed']
const rules: readonly Resolution['rule'][] = ['lww', 'siblings', 'merge']

/** Canonical: equal topologies, and they alone, have equal bytes. */
export function encodeTopology(topology: Topology): Uint8Array {
  const writer = new ByteWriter(4096)
  writer.u32(topologyMagic)
  writer.u32(0)
  writer.u53(topology.epoch)
  writer.u32(topology.nextMember)
  writer.u8(topology.settings.replicas)
  writer.u32(topology.settings.movesMax)
  writer.u16(topology.members.length)
  for (const member of topology.members) writeMember(writer, member)
  writer.u16(topology.partitions)
  for (const owners of topology.claim) writeNumbers(writer, owners)
  const differing = [...topology.target.entries()].filter(([i, owners]) => !same(owners, topology.claim[i]!))
  writer.u16(differing.length)
  for (const [partition, owners] of differing) {
    writer.u16(partition)
    writeNumbers(writer, owners)
  }
  writer.u16(topology.moves.length)
  for (const { partition, to, phase } of topology.moves) {
    writer.u16(partition)
    writer.u8(phase === 'readOld' ? 0 : 1)
    writeNumbers(writer, to)
  }
  for (let i = 0; i < topology.partitions; i++) writer.u53(topology.changedAt?.[i] ?? 1)
  writer.u16(topology.buckets.length)
  for (const bucket of topology.buckets) writeBucket(writer, bucket)
  writeNumbers(writer, topology.previousVoters)
  writeNumbers(writer, topology.voters)
  writer.u8(topology.recentChanges.length)
  for (const id of topology.recentChanges) writeHex(writer, id)
  const bytes = writer.copy()
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, crc32(bytes.subarray(8)), true)
  return bytes
}

/** @throws MalformedFrameError not of this format, damaged, or beyond the bounds of `topologyLimits` */
export function decodeTopology(bytes: Uint8Array): Topology {
  if (bytes.length > topologyBytesMax)
    throw new MalformedFrameError(0, `a topology of ${bytes.length} bytes, at most ${topologyBytesMax} allowed`)
  const reader = new ByteReader()
  reader.reset(bytes)
  if (reader.u32() !== topologyMagic) throw new MalformedFrameError(0, 'no topology of this version')
  if (reader.u32() !== crc32(bytes.subarray(8))) throw new MalformedFrameError(4, 'checksum does not match')
  const epoch = atLeast(reader, reader.u53(), 1, 'epoch')
  const nextMember = atMost(reader, reader.u32(), memberNumberMax + 1, 'next member')
  const replicas = atMost(reader, reader.u8(), topologyLimits.replicas, 'replicas')
  const settings = { replicas: atLeast(reader, replicas, 1, 'replicas'), movesMax: reader.u32() }
  const members = list(reader, reader.u16(), topologyLimits.members + topologyLimits.removed, readMember)
  ascending(
    reader,
    members.map(({ number }) => number),
  )
  const partitions = reader.u16()
  if (partitions === 0 || slots % partitions !== 0)
    throw new MalformedFrameError(reader.position, `${partitions} partitions, not a power of two up to ${slots}`)
  const known = new Set(members.map(({ number }) => number))
  const owners = () => readNumbers(reader, topologyLimits.replicas, known)
  const claim = list(reader, partitions, slots, owners)
  const target = [...claim]
  for (const [partition, row] of list(reader, reader.u16(), partitions, () => [reader.u16(), owners()] as const)) {
    atMost(reader, partition, partitions - 1, 'partition')
    target[partition] = row
  }
  const moves = list(reader, reader.u16(), partitions, (): Move => {
    const partition = atMost(reader, reader.u16(), partitions - 1, 'partition')
    const phase = atMost(reader, reader.u8(), 1, 'phase') === 0 ? 'readOld' : 'readNew'
    return { partition, phase, to: owners() }
  })
  ascending(
    reader,
    moves.map(({ partition }) => partition),
  )
  const changedAt = list(reader, partitions, slots, () => atMost(reader, reader.u53(), epoch, 'epoch of change'))
  const buckets = list(reader, reader.u16(), topologyLimits.buckets, readBucket)
  const previousVoters = readNumbers(reader, topologyLimits.voters, undefined)
  const voters = readNumbers(reader, topologyLimits.voters, known)
  atLeast(reader, voters.length, 1, 'voters')
  const recentChanges = list(reader, reader.u8(), topologyLimits.recentChanges, readHex)
  reader.expectEnd()
  return {
    epoch,
    members,
    nextMember,
    partitions,
    claim,
    target,
    moves,
    changedAt,
    buckets,
    settings,
    voters,
    previousVoters,
    recentChanges,
  }
}

function writeMember(writer: ByteWriter, member: Member): void {
  writer.u32(member.number)
  writeHex(writer, member.id)
  writer.u32(member.incarnation)
  writeHex(writer, member.life)
  writer.u8(states.indexOf(member.state))
  writeText(writer, member.host)
  writeText(writer, member.zone)
  writeText(writer, member.address)
}

function readMember(reader: ByteReader): Member {
  return {
    number: atMost(reader, reader.u32(), memberNumberMax, 'member'),
    id: readHex(reader),
    incarnation: reader.u32(),
    life: readHex(reader),
    state: states[atMost(reader, reader.u8(), states.length - 1, 'state')]!,
    host: readText(reader),
    zone: readText(reader),
    address: readText(reader),
  }
}

function writeBucket(writer: ByteWriter, { name, number, n, r, w, held, grownAt, resolution }: Bucket): void {
  writeText(writer, name)
  writer.u16(number)
  writer.u8(n)
  writer.u8(r)
  writer.u8(w)
  writer.u8(held ?? w)
  writer.u53(grownAt ?? 0)
  writer.u8(rules.indexOf(resolution.rule))
  writer.u8(resolution.rule === 'lww' ? 0 : resolution.siblingsMax)
  writeText(writer, resolution.rule === 'merge' ? resolution.name : '')
}

function readBucket(reader: ByteReader): Bucket {
  const name = readText(reader)
  const number = reader.u16()
  const n = atMost(reader, reader.u8(), topologyLimits.replicas, 'n')
  const r = atMost(reader, atLeast(reader, reader.u8(), 1, 'r'), n, 'r')
  const w = atMost(reader, atLeast(reader, reader.u8(), 1, 'w'), n, 'w')
  const held = reader.u8()
  const grownAt = reader.u53()
  const rule = rules[atMost(reader, reader.u8(), rules.length - 1, 'rule')]!
  const siblingsMax = reader.u8()
  const merge = readText(reader)
  const resolution: Resolution =
    rule === 'lww'
      ? { rule }
      : rule === 'siblings'
        ? { rule, siblingsMax: atLeast(reader, siblingsMax, 1, 'siblings') }
        : { rule, name: merge, siblingsMax: atLeast(reader, siblingsMax, 1, 'siblings') }
  return { name, number, n, r, w, held, ...(grownAt > 0 && { grownAt }), resolution }
}

function writeNumbers(writer: ByteWriter, numbers: readonly MemberNumber[]): void {
  writer.u8(numbers.length)
  for (const number of numbers) writer.u32(number)
}

function readNumbers(reader: ByteReader, most: number, known: ReadonlySet<MemberNumber> | undefined): MemberNumber[] {
  const numbers = list(reader, reader.u8(), most, () => reader.u32())
  if (new Set(numbers).size !== numbers.length || numbers.some((each) => known?.has(each) === false))
    throw new MalformedFrameError(reader.position, `members [${numbers}]: unknown, or named twice`)
  return numbers
}

function list<T>(reader: ByteReader, count: number, most: number, read: (reader: ByteReader) => T): T[] {
  atMost(reader, count, most, 'count')
  const items: T[] = []
  for (let i = 0; i < count; i++) items.push(read(reader))
  return items
}

function ascending(reader: ByteReader, numbers: readonly number[]): void {
  for (let i = 1; i < numbers.length; i++)
    if (numbers[i]! <= numbers[i - 1]!) throw new MalformedFrameError(reader.position, `[${numbers}] does not ascend`)
}

function atMost(reader: ByteReader, value: number, most: number, what: string): number {
  if (value > most) throw new MalformedFrameError(reader.position, `${what} ${value}, at most ${most}`)
  return value
}

function atLeast(reader: ByteReader, value: number, least: number, what: string): number {
  if (value < least) throw new MalformedFrameError(reader.position, `${what} ${value}, at least ${least}`)
  return value
}

function writeText(writer: ByteWriter, text: string): void {
  writer.shortBytes(Buffer.from(text, 'utf8'))
}

const readText = (reader: ByteReader) => Buffer.from(reader.shortBytes()).toString('utf8')

function writeHex(writer: ByteWriter, hex: string): void {
  writer.bytes(Buffer.from(hex, 'hex'))
}

const readHex = (reader: ByteReader) => Buffer.from(reader.bytes(8)).toString('hex')
