import type { MemberNumber } from '../node/identity.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { messageTypeBase } from '../wire/message-type.js'
import { type Ballot, noBallot } from './ballot.js'
import { topologyLimits } from './topology-limits.js'

/* docs/cluster/coordination-format.md: messages of the register and of the topology's spread, and what a voter keeps. */

const base = messageTypeBase.coordination

export const coordinationType = {
  prepare: base,
  promise: base + 1,
  accept: base + 2,
  accepted: base + 3,
  fetch: base + 4,
  topology: base + 5,
  join: base + 6,
  joinRefused: base + 7,
  hello: base + 8,
} as const

/** What the acceptor of one voter is asked, and `voter` says which: a node's next life is another voter. */
export interface PrepareMessage {
  readonly voter: MemberNumber
  readonly ballot: Ballot
}

export interface AcceptMessage extends PrepareMessage {
  /** A topology in its own format. */
  readonly value: Uint8Array
}

export interface AcceptedMessage {
  readonly voter: MemberNumber
  /** The one asked about. */
  readonly ballot: Ballot
  /** Equal to `ballot`: yes. Higher: no, and that is why. */
  readonly promised: Ballot
}

export interface PromiseMessage extends AcceptedMessage {
  /** What the voter accepted last: `value` is empty if nothing. */
  readonly acceptedAt: Ballot
  readonly value: Uint8Array
}

export interface JoinMessage {
  readonly life: string
  /** The newest incarnation of the node that it has been told of; 0: none. */
  readonly after: number
  readonly host: string
  readonly zone: string
  readonly address: string
}

/** Why a node may not join: it need not ask again, unless its incarnation is another one than it knew. */
export interface JoinRefusedMessage {
  readonly code: string
  readonly message: string
  /** The newest one of the node that there is. */
  readonly incarnation: number
}

export const encodePrepare = ({ voter, ballot }: PrepareMessage): Uint8Array =>
  written((writer) => {
    writer.u32(voter)
    writeBallot(writer, ballot)
  })

export const decodePrepare = (body: Uint8Array): PrepareMessage =>
  read(body, (reader) => ({ voter: reader.u32(), ballot: readBallot(reader) }))

export const encodeAccept = ({ voter, ballot, value }: AcceptMessage): Uint8Array =>
  written((writer) => {
    writer.u32(voter)
    writeBallot(writer, ballot)
    writer.longBytes(value)
  })

export const decodeAccept = (body: Uint8Array): AcceptMessage =>
  read(body, (reader) => ({ voter: reader.u32(), ballot: readBallot(reader), value: reader.longBytes() }))

export const encodeAccepted = ({ voter, ballot, promised }: AcceptedMessage): Uint8Array =>
  written((writer) => {
    writer.u32(voter)
    writeBallot(writer, ballot)
    writeBallot(writer, promised)
  })

export const decodeAccepted = (body: Uint8Array): AcceptedMessage =>
  read(body, (reader) => ({ voter: reader.u32(), ballot: readBallot(reader), promised: readBallot(reader) }))

export const encodePromise = ({ voter, ballot, promised, acceptedAt, value }: PromiseMessage): Uint8Array =>
  written((writer) => {
    writer.u32(voter)
    writeBallot(writer, ballot)
    writeBallot(writer, promised)
    writeBallot(writer, acceptedAt)
    writer.longBytes(value)
  })

export const decodePromise = (body: Uint8Array): PromiseMessage =>
  read(body, (reader) => ({
    voter: reader.u32(),
    ballot: readBallot(reader),
    promised: readBallot(reader),
    acceptedAt: readBallot(reader),
    value: reader.longBytes(),
  }))

/** The epoch that the asker has: it wants a newer one. */
export const encodeFetch = (epoch: number): Uint8Array => written((writer) => writer.u53(epoch))
export const decodeFetch = (body: Uint8Array): number => read(body, (reader) => reader.u53())

export const encodeJoin = ({ life, after, host, zone, address }: JoinMessage): Uint8Array =>
  written((writer) => {
    writer.bytes(Buffer.from(life, 'hex'))
    writer.u32(after)
    for (const text of [host, zone, address]) writer.shortBytes(Buffer.from(text, 'utf8'))
  })

export const decodeJoin = (body: Uint8Array): JoinMessage =>
  read(body, (reader) => ({
    life: Buffer.from(reader.bytes(8)).toString('hex'),
    after: reader.u32(),
    host: readText(reader, topologyLimits.name),
    zone: readText(reader, topologyLimits.name),
    address: readText(reader, topologyLimits.name),
  }))

export const encodeJoinRefused = ({ code, message, incarnation }: JoinRefusedMessage): Uint8Array =>
  written((writer) => {
    for (const text of [code, message]) writer.shortBytes(Buffer.from(text, 'utf8').subarray(0, 1000))
    writer.u32(incarnation)
  })

export const decodeJoinRefused = (body: Uint8Array): JoinRefusedMessage =>
  read(body, (reader) => ({
    code: readText(reader, 1000),
    message: readText(reader, 1000),
    incarnation: reader.u32(),
  }))

/** What a voter has on disk of its last acceptance: the magic `CPA1`, the ballot, the value. Promises: `CPP1` and the ballot. */
const acceptedMagic = 0x31415043
const promisedMagic = 0x31505043

export const encodePromised = (ballot: Ballot): Uint8Array =>
  written((writer) => {
    writer.u32(promisedMagic)
    writeBallot(writer, ballot)
  })

export const decodePromised = (bytes: Uint8Array | undefined): Ballot =>
  bytes === undefined ? noBallot : read(bytes, (reader) => readBallot(behind(promisedMagic, reader)))

export const encodeAcceptance = (ballot: Ballot, value: Uint8Array): Uint8Array =>
  written((writer) => {
    writer.u32(acceptedMagic)
    writeBallot(writer, ballot)
    writer.longBytes(value)
  })

export const decodeAcceptance = (bytes: Uint8Array | undefined): { ballot: Ballot; value: Uint8Array } =>
  bytes === undefined
    ? { ballot: noBallot, value: new Uint8Array(0) }
    : read(bytes, (reader) => ({ ballot: readBallot(behind(acceptedMagic, reader)), value: reader.longBytes() }))

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(64)
  write(writer)
  return writer.copy()
}

function read<T>(body: Uint8Array, decode: (reader: ByteReader) => T): T {
  const reader = new ByteReader()
  reader.reset(body)
  const message = decode(reader)
  reader.expectEnd()
  return message
}

function writeBallot(writer: ByteWriter, { counter, member, boot }: Ballot): void {
  writer.u53(counter)
  writer.u32(member)
  writer.u32(boot)
}

const readBallot = (reader: ByteReader): Ballot => ({
  counter: reader.u53(),
  member: reader.u32(),
  boot: reader.u32(),
})

function readText(reader: ByteReader, bytesMax: number): string {
  const bytes = reader.shortBytes()
  if (bytes.length > bytesMax)
    throw new MalformedFrameError(reader.position, `a text of ${bytes.length} bytes, at most ${bytesMax}`)
  return Buffer.from(bytes).toString('utf8')
}

function behind(magic: number, reader: ByteReader): ByteReader {
  if (reader.u32() !== magic) throw new MalformedFrameError(0, 'no acceptor state of this version')
  return reader
}
