import { createTopology } from '../coordination/create-topology.js'
import type { Bucket, Topology } from '../coordination/topology.js'
import type { GetRequest, PutRequest } from '../node/client-request.js'
import { ClusterNode } from '../node/cluster-node.js'
import { everyoneAlive } from '../node/liveness.js'
import { defaultNodeConfig } from '../node/node-config.js'
import { lww } from '../record/resolution.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { ByteReader } from '../wire/byte-reader.js'
import { ByteWriter } from '../wire/byte-writer.js'
import { beginMessage, endMessage, frameHeaderBytes, sealFrame, writeFrameHeader } from '../wire/frame-format.js'
import { messageType } from '../wire/message-type.js'
import { GetMessage, writeGetReply, writeReplicateReply } from '../wire/replication-messages.js'
import { idOf } from './small-cluster.js'

const bucket: Bucket = { name: 'b', number: 0, n: 3, r: 2, w: 2, resolution: lww }
const header = { clusterLow: 1, clusterHigh: 0, member: 0, incarnation: 1, run: 1, number: 0, epoch: 1 }

/** A store that costs next to nothing: keys by their last bytes. */
class FreeStore implements ReplicaStore {
  readonly #records = new Map<number, Uint8Array>()
  readonly #meta = new Map<string, Uint8Array>()
  ticket = 0
  durableTicket = 0
  lostUnsynced = false

  get(_: number, key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(numberOf(key))
  }
  put(_: number, key: Uint8Array, record: Uint8Array): void {
    this.#records.set(numberOf(key), record)
    this.durableTicket = ++this.ticket
  }
  remove(): void {}
  scan(): [] {
    return []
  }
  compareKeys(): number {
    return 0
  }
  scanReadable() {
    return { records: [], damaged: [], upTo: undefined }
  }
  replaceStretch(): void {}
  dropPartition(): void {}
  getMeta(name: string): Uint8Array | undefined {
    return this.#meta.get(name)
  }
  putMeta(name: string, bytes: Uint8Array): void {
    this.#meta.set(name, bytes)
    this.durableTicket = ++this.ticket
  }
  removeMeta(): void {}
  scanMeta(): [] {
    return []
  }
  sync(): void {}
}

const numberOf = (key: Uint8Array) => (key[key.length - 2]! << 8) | key[key.length - 1]!

/**
 * One coordinator that owns all of its keys, and two peers that say yes to everything: what a coordinator itself costs, without I/O
 * and without the replicas. The peers' answers are prepared by decoding what was sent, so some of the cost counted is theirs.
 */
export class CoordinatorLoad {
  static readonly batch = 64
  readonly #node: ClusterNode
  readonly #frames: [string, Uint8Array][] = []
  readonly #now = { monotonicMs: 1, wallMs: 1_700_000_000_000 }
  readonly #requests: { get: GetRequest; put: PutRequest }[] = []
  readonly #reader = new ByteReader()
  readonly #get = new GetMessage()
  readonly #writer = new ByteWriter(64 << 10)
  readonly #store = new FreeStore()
  #answered = 0
  #number = 0

  constructor() {
    const topology: Topology = {
      ...createTopology({
        nodes: [1, 2, 3].map((number) => ({ id: idOf(number), host: `${number}`, zone: '', address: '' })),
        partitions: 1024,
        buckets: [bucket],
      }),
      claim: Array.from({ length: 1024 }, () => [1, 2, 3]),
    }
    this.#node = new ClusterNode({
      identity: { clusterId: '0000000000000001', id: idOf(1), member: 1, incarnation: 1 },
      config: defaultNodeConfig,
      random: () => 0.5,
      store: this.#store,
      topology,
      liveness: everyoneAlive,
      sink: {
        send: (peer, frame) => this.#frames.push([peer, frame]),
        reply: (_, result) => {
          if (result.status === 'error') throw new Error(result.message)
          this.#answered++
        },
        event: (name) => {
          throw new Error(name)
        },
      },
    })
    const value = Buffer.alloc(100, 1)
    for (let i = 0; i < CoordinatorLoad.batch; i++) {
      const key = Buffer.from(`user0000000000${i.toString().padStart(6, '0')}`)
      const more = { id: i, bucket: 'b', key, deadlineMs: Number.MAX_SAFE_INTEGER }
      this.#requests.push({ get: { type: 'get', ...more }, put: { type: 'put', value, ...more } })
    }
    this.puts()
  }

  gets(): number {
    for (const { get } of this.#requests) this.#node.request(get, this.#now)
    return this.#turn()
  }

  puts(): number {
    for (const { put } of this.#requests) this.#node.request(put, this.#now)
    return this.#turn()
  }

  #turn(): number {
    this.#answered = 0
    this.#node.tick(this.#now)
    for (const [peer, frame] of this.#frames.splice(0)) this.#node.receive(peer, this.#yes(peer, frame), this.#now)
    this.#node.tick(this.#now)
    if (this.#answered !== CoordinatorLoad.batch) throw new Error(`${this.#answered} answers`)
    return this.#answered
  }

  #yes(peer: string, frame: Uint8Array): Uint8Array {
    const reader = this.#reader
    const writer = this.#writer
    // Unchecked: what peers do is not what is measured.
    reader.reset(frame, frameHeaderBytes, frame.length)
    writer.clear()
    writeFrameHeader(writer, { ...header, member: Number(peer), number: ++this.#number })
    while (reader.remaining > 0) {
      const type = reader.u8()
      const end = reader.u32() + reader.position
      if (type === messageType.get) {
        this.#get.read(reader)
        const { slot, generation, partition, key } = this.#get
        const start = beginMessage(writer, messageType.getReply)
        writeGetReply(writer, slot, generation, 0, 0, this.#store.get(partition, key))
        endMessage(writer, start)
      } else {
        // Who asks comes first; what was written is none of a yes-man's business.
        const from = reader.u8()
        const slot = reader.u32()
        const generation = reader.u32()
        reader.position = end
        const start = beginMessage(writer, messageType.replicateReply)
        writeReplicateReply(writer, from, slot, generation, 0, 0)
        endMessage(writer, start)
      }
    }
    const answer = writer.copy()
    sealFrame(answer)
    return answer
  }
}
