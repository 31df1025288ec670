import type { Bucket } from '../coordination/topology.js'
import { type Context, decodeSession } from '../record/context-format.js'
import type { GetCoordinator, Read } from '../replication/get-coordinator.js'
import type { Batch } from '../replication/get-request-slot.js'
import { readNeed, writeNeed } from '../replication/levels.js'
import type { PutCoordinator, Write } from '../replication/put-coordinator.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { keyBytesMax, partitionOf, storedKey } from '../replication/stored-key.js'
import type { ClientRequest, DeleteRequest, GetManyRequest, GetRequest, PutRequest } from './client-request.js'
import type { Now } from './now.js'
import type { ResultCode } from './result.js'

const noValue = new Uint8Array(0)
const noContext: readonly Context[] = []

/** Checks what clients ask for, and starts it. */
export class RequestIntake {
  readonly #parts: SharedParts
  readonly #gets: GetCoordinator
  readonly #puts: PutCoordinator
  readonly #read: Read = {
    id: 0,
    bucket: undefined as unknown as Bucket,
    key: noValue,
    partition: 0,
    r: 0,
    session: undefined,
    deadlineMs: 0,
  }
  readonly #write: Write = {
    id: 0,
    bucket: undefined as unknown as Bucket,
    key: noValue,
    partition: 0,
    w: 0,
    sloppy: false,
    tombstone: false,
    value: noValue,
    expiresAt: 0,
    context: undefined,
    requestHigh: 0,
    requestLow: 0,
    condition: undefined,
    deadlineMs: 0,
  }

  constructor(parts: SharedParts, gets: GetCoordinator, puts: PutCoordinator) {
    this.#parts = parts
    this.#gets = gets
    this.#puts = puts
  }

  request(request: ClientRequest, now: Now): void {
    const bucket = this.#parts.routes.bucket(request.bucket)
    if (bucket === undefined) {
      this.#refuse(request.id, 'CASKADE_BAD_REQUEST', `no bucket ${JSON.stringify(request.bucket)}: create it first`)
      return
    }
    if (request.type === 'get') this.#get(request, bucket, now)
    else if (request.type === 'getMany') this.#getMany(request, bucket, now)
    else this.#put(request, bucket, now)
  }

  #get(request: GetRequest, bucket: Bucket, now: Now): void {
    if (!this.#keyFits(request.id, request.key)) return
    const level = request.level ?? 'quorum'
    const session = level === 'session' ? this.#sessionOf(request.sessionContext) : undefined
    if (session === noContext) {
      this.#refuse(request.id, 'CASKADE_BAD_REQUEST', 'sessionContext is no context')
      return
    }
    const r = readNeed(bucket, level, request.r)
    if (r === 0) {
      this.#refuse(request.id, 'CASKADE_BAD_REQUEST', `r must be from 1 to ${bucket.n}, not ${request.r}`)
      return
    }
    this.#prepare(request, bucket, r, request.key)
    this.#read.session = session
    if (!this.#gets.start(this.#read, undefined, 0, now)) this.#overloaded(request.id)
  }

  #getMany(request: GetManyRequest, bucket: Bucket, now: Now): void {
    const { id, keys } = request
    const { batchKeysMax, requestsInFlightMax } = this.#parts.config
    if (keys.length > batchKeysMax) {
      this.#refuse(id, 'CASKADE_BAD_REQUEST', `${keys.length} keys in one request, at most ${batchKeysMax} allowed`)
      return
    }
    for (const key of keys) if (!this.#keyFits(id, key)) return
    if (keys.length === 0) {
      this.#parts.sink.reply(id, { status: 'many', results: [] })
      return
    }
    const level = request.level ?? 'quorum'
    const contexts = request.sessionContexts
    if (contexts !== undefined && contexts.length !== keys.length) {
      this.#refuse(
        id,
        'CASKADE_BAD_REQUEST',
        `sessionContexts has one for each key, not ${contexts.length} for ${keys.length}`,
      )
      return
    }
    const sessions = level === 'session' ? contexts?.map((context) => this.#sessionOf(context)) : undefined
    if (sessions?.includes(noContext)) {
      this.#refuse(id, 'CASKADE_BAD_REQUEST', 'one of sessionContexts is no context')
      return
    }
    const r = readNeed(bucket, level, request.r)
    if (r === 0) {
      this.#refuse(id, 'CASKADE_BAD_REQUEST', `r must be from 1 to ${bucket.n}, not ${request.r}`)
      return
    }
    if (this.#gets.inFlight + keys.length > requestsInFlightMax) {
      this.#overloaded(id)
      return
    }
    const batch: Batch = { id, results: new Array(keys.length), left: keys.length }
    for (let i = 0; i < keys.length; i++) {
      this.#prepare(request, bucket, r, keys[i]!)
      this.#read.session = sessions?.[i]
      this.#gets.start(this.#read, batch, i, now)
    }
  }

  #prepare(request: GetRequest | GetManyRequest, bucket: Bucket, r: number, key: Uint8Array): void {
    const read = this.#read
    read.id = request.id
    read.bucket = bucket
    read.key = storedKey(bucket.number, key)
    read.partition = partitionOf(read.key, this.#parts.routes.topology.partitions)
    read.r = r
    read.session = undefined
    read.deadlineMs = request.deadlineMs
  }

  #put(request: PutRequest | DeleteRequest, bucket: Bucket, now: Now): void {
    if (!this.#keyFits(request.id, request.key)) return
    const level = request.level ?? 'quorum'
    const w = writeNeed(bucket, level, request.w)
    if (w === 0) {
      this.#refuse(request.id, 'CASKADE_BAD_REQUEST', `w must be from 1 to ${bucket.n}, not ${request.w}`)
      return
    }
    const write = this.#write
    write.id = request.id
    write.bucket = bucket
    write.key = storedKey(bucket.number, request.key)
    write.partition = partitionOf(write.key, this.#parts.routes.topology.partitions)
    write.w = w
    write.sloppy = level === 'eventual'
    write.tombstone = request.type === 'delete'
    write.value = request.type === 'put' ? request.value : noValue
    write.expiresAt = request.type === 'put' ? (request.expiresAt ?? 0) : 0
    write.context = request.context === undefined || request.context.length === 0 ? undefined : request.context
    write.requestHigh = request.requestId?.high ?? 0
    write.requestLow = request.requestId?.low ?? 0
    write.condition = request.condition
    write.deadlineMs = request.deadlineMs
    if (!this.#puts.start(write, now)) this.#overloaded(request.id)
  }

  #keyFits(id: number, key: Uint8Array): boolean {
    if (key.length >= 1 && key.length <= keyBytesMax) return true
    this.#refuse(id, 'CASKADE_BAD_REQUEST', `a key has 1 to ${keyBytesMax} bytes, not ${key.length}`)
    return false
  }

  /** `undefined`: nothing that an answer must descend from. `noContext`: malformed. */
  #sessionOf(context: Uint8Array | undefined): readonly Context[] | undefined {
    if (context === undefined || context.length === 0) return undefined
    try {
      return decodeSession(context)
    } catch {
      return noContext
    }
  }

  #overloaded(id: number): void {
    const { requestsInFlightMax } = this.#parts.config
    this.#refuse(id, 'CASKADE_OVERLOADED', `${requestsInFlightMax} requests in flight: retry later`)
  }

  #refuse(id: number, code: ResultCode, message: string): void {
    this.#parts.sink.reply(id, { status: 'error', code, message })
  }
}
