import type { HintReplay } from '../convergence/hint-replay.js'
import { RecordError } from '../record/record-error.js'
import type { GetCoordinator } from '../replication/get-coordinator.js'
import type { PutCoordinator } from '../replication/put-coordinator.js'
import type { Replica } from '../replication/replica.js'
import type { RoutingTable } from '../replication/route.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { ByteReader } from '../wire/byte-reader.js'
import { type FrameHeader, readFrameHeader } from '../wire/frame-format.js'
import { FrameWindow } from '../wire/frame-window.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { messageType } from '../wire/message-type.js'
import {
  asker,
  ForwardMessage,
  ForwardReplyMessage,
  GetMessage,
  GetReplyMessage,
  ReplicateMessage,
  ReplicateReplyMessage,
} from '../wire/replication-messages.js'
import type { ColdReceiver } from './cold-messages.js'
import type { MemberNumber, NodeId } from './identity.js'
import type { Now } from './now.js'

/** The machines that frames are for. */
export interface Receivers {
  readonly gets: GetCoordinator
  readonly puts: PutCoordinator
  readonly replica: Replica
  readonly hintReplay: HintReplay
}

/** Takes frames apart and hands each message to its machine. */
export class FrameReceiver {
  newerEpoch: ((from: NodeId, epoch: number, now: Now) => void) | undefined
  readonly #parts: SharedParts
  readonly #own: FrameHeader
  readonly #to: Receivers
  readonly #cold = new Map<number, ColdReceiver>()
  readonly #windows = new Map<NodeId, FrameWindow>()
  readonly #header: FrameHeader = {
    clusterLow: 0,
    clusterHigh: 0,
    member: 0,
    incarnation: 0,
    run: 0,
    number: 0,
    epoch: 0,
  }
  readonly #reader = new ByteReader()
  readonly #get = new GetMessage()
  readonly #getReply = new GetReplyMessage()
  readonly #replicate = new ReplicateMessage()
  readonly #replicateReply = new ReplicateReplyMessage()
  readonly #forward = new ForwardMessage()
  readonly #forwardReply = new ForwardReplyMessage()

  constructor(parts: SharedParts, own: FrameHeader, to: Receivers) {
    this.#parts = parts
    this.#own = own
    this.#to = to
  }

  register(types: readonly number[], receiver: ColdReceiver): void {
    for (const type of types) this.#cold.set(type, receiver)
  }

  /** Forgets whom the topology no longer knows. */
  adopt(routes: RoutingTable): void {
    for (const id of this.#windows.keys()) if (routes.memberOf(id) === undefined) this.#windows.delete(id)
  }

  receive(from: NodeId, frame: Uint8Array, now: Now): void {
    try {
      this.#take(from, frame, now)
    } catch (error) {
      if (!(error instanceof MalformedFrameError || error instanceof RecordError)) throw error
      this.#parts.sink.event('frame-refused', { from, reason: error.message })
    }
  }

  #take(from: NodeId, frame: Uint8Array, now: Now): void {
    const reader = this.#reader
    const header = this.#header
    readFrameHeader(frame, reader, header)
    if (header.clusterLow !== this.#own.clusterLow || header.clusterHigh !== this.#own.clusterHigh)
      throw new MalformedFrameError(8, 'a frame of another cluster')
    if (!this.#windowOf(from).admit(header.run, header.number)) return
    if (header.epoch > this.#own.epoch) this.newerEpoch?.(from, header.epoch, now)
    const member = this.#memberOf(from, header)
    const end = frame.length
    while (reader.position < end) {
      const type = reader.u8()
      const length = reader.u32()
      const start = reader.position
      if (length > end - start)
        throw new MalformedFrameError(start, `a message of ${length} bytes, ${end - start} left`)
      reader.end = start + length
      if (type >= 32) this.#cold.get(type)?.receive(from, type, reader.bytes(length), now)
      else if (member !== 0) this.#hot(type, member, now)
      reader.reset(frame, start + length, end)
    }
  }

  /** The sender's member number, if it is the present life of that node; 0: nothing it says of records counts. */
  #memberOf(from: NodeId, { member, incarnation }: FrameHeader): MemberNumber {
    const known = this.#parts.routes.member(member)
    return known !== undefined && known.id === from && known.incarnation === incarnation && known.state !== 'removed'
      ? member
      : 0
  }

  #windowOf(from: NodeId): FrameWindow {
    let window = this.#windows.get(from)
    if (window === undefined) {
      window = new FrameWindow()
      this.#windows.set(from, window)
    }
    return window
  }

  #hot(type: number, from: MemberNumber, now: Now): void {
    const reader = this.#reader
    switch (type) {
      case messageType.get:
        this.#get.read(reader)
        reader.expectEnd()
        this.#to.replica.onGet(from, this.#get)
        return
      case messageType.getReply:
        this.#getReply.read(reader)
        reader.expectEnd()
        this.#to.gets.onReply(from, this.#getReply, now)
        return
      case messageType.replicate:
        this.#replicate.read(reader)
        reader.expectEnd()
        this.#to.replica.onReplicate(from, this.#replicate, now)
        return
      case messageType.replicateReply:
        this.#replicateReply.read(reader)
        reader.expectEnd()
        this.#replicated(from, now)
        return
      case messageType.forward:
        this.#forward.read(reader)
        reader.expectEnd()
        this.#to.puts.onForward(from, this.#forward, now)
        return
      case messageType.forwardReply:
        this.#forwardReply.read(reader)
        reader.expectEnd()
        this.#to.puts.onForwardReply(from, this.#forwardReply, now)
        return
      default:
      // A newer node says more than this one understands.
    }
  }

  #replicated(from: MemberNumber, now: Now): void {
    const message = this.#replicateReply
    if (message.asker === asker.put) this.#to.puts.onReplicateReply(from, message, now)
    else if (message.asker === asker.get) this.#to.gets.onReplicateReply(from, message, now)
    else if (message.asker === asker.hints) this.#to.hintReplay.onReply(from, message)
  }
}
