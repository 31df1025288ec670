import { type ClientRequest, type KeyResult, type NodeId, type Now, StoreError } from '@caskade/cluster'
import type { ClusterUnderTest, MakeCluster } from './cluster-under-test.js'
import type { Life, NodeMachine } from './node-machine.js'
import { nodeIdOf } from './world.js'

interface Message {
  from: NodeId
  number: number
  key: string
  value?: string
  result?: 'none' | 'some' | 'done' | 'error'
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/**
 * The cluster that everybody writes first: each key lives on one node, the others pass requests on, the last write is kept
 * and answered before it is on disk. Nearly every promise is broken: what the simulator is tried on.
 */
class NaiveNode implements NodeMachine {
  wakeAtMs = Number.POSITIVE_INFINITY
  readonly #life: Life
  readonly #ids: readonly NodeId[]
  readonly #waiting = new Map<number, { request: ClientRequest; deadlineMs: number }>()
  readonly #outbox: { to: NodeId; message: Message }[] = []
  #number = 0

  constructor(life: Life, ids: readonly NodeId[]) {
    this.#life = life
    this.#ids = ids
  }

  onDurable(): void {}

  request(request: ClientRequest, now: Now): void {
    if (request.type === 'getMany') {
      this.#life.sink.reply(request.id, { status: 'error', code: 'CASKADE_BAD_REQUEST', message: 'no batches' })
      return
    }
    const key = `${request.bucket}/${text(request.key)}`
    const owner = this.#ids[Buffer.from(key).reduce((sum, byte) => sum + byte, 0) % this.#ids.length]!
    const number = this.#number++
    this.#waiting.set(number, { request, deadlineMs: request.deadlineMs })
    this.wakeAtMs = Math.min(this.wakeAtMs, request.deadlineMs)
    const value = request.type === 'put' ? text(request.value) : request.type === 'delete' ? '' : undefined
    const message: Message = { from: this.#life.identity.id, number, key, ...(value === undefined ? {} : { value }) }
    if (owner === this.#life.identity.id) this.#take(message, now)
    else this.#outbox.push({ to: owner, message })
  }

  receive(_from: NodeId, frame: Uint8Array, now: Now): void {
    this.#take(JSON.parse(text(frame)) as Message, now)
  }

  tick(now: Now): void {
    this.#life.store.sync()
    for (const { to, message } of this.#outbox.splice(0))
      this.#life.sink.send(to, Buffer.from(JSON.stringify(message), 'latin1'))
    this.wakeAtMs = Number.POSITIVE_INFINITY
    for (const [number, { deadlineMs }] of this.#waiting)
      if (deadlineMs <= now.monotonicMs) this.#answer(number, 'error', '', now)
      else this.wakeAtMs = Math.min(this.wakeAtMs, deadlineMs)
  }

  #take(message: Message, now: Now): void {
    if (message.result !== undefined) {
      this.#answer(message.number, message.result, message.value ?? '', now)
      return
    }
    const reply = this.#perform(message)
    if (message.from === this.#life.identity.id) this.#take(reply, now)
    else this.#outbox.push({ to: message.from, message: reply })
  }

  #perform({ from, number, key, value }: Message): Message {
    const stored = Buffer.from(key, 'latin1')
    try {
      if (value !== undefined) {
        this.#life.store.put(0, stored, Buffer.from(value, 'latin1'))
        return { from, number, key, result: 'done' }
      }
      const found = text(this.#life.store.get(0, stored) ?? new Uint8Array())
      return { from, number, key, value: found, result: found === '' ? 'none' : 'some' }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return { from, number, key, result: 'error' }
    }
  }

  #answer(number: number, outcome: NonNullable<Message['result']>, value: string, now: Now): void {
    const waiting = this.#waiting.get(number)
    if (!this.#waiting.delete(number)) return
    this.#life.sink.reply(waiting!.request.id, resultOf(outcome, value, now))
  }
}

function resultOf(outcome: NonNullable<Message['result']>, value: string, { wallMs }: Now): KeyResult {
  const shared = { version: 1, context: new Uint8Array() }
  if (outcome === 'error') return { status: 'error', code: 'CASKADE_UNCERTAIN', message: 'no answer' }
  if (outcome === 'none') return { status: 'notFound', ...shared }
  const values = outcome === 'done' ? [] : [{ value: Buffer.from(value, 'latin1'), timestampMs: wallMs, expiresAt: 0 }]
  return { status: 'ok', ...shared, values, timestampMs: wallMs }
}

export const naiveCluster: MakeCluster = ({ seed, nodes }): ClusterUnderTest => {
  const ids = Array.from({ length: nodes }, (_, index) => nodeIdOf(seed, index))
  return { factory: (life) => new NaiveNode(life, ids), owners: () => [], copies: () => [] }
}
