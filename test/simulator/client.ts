import {
  type ClientRequest,
  defaultNodeConfig,
  joinContexts,
  type KeyResult,
  type RequestId,
  type Result,
} from '@caskade/cluster'
import type { SeededRandom } from '../seeded-random.js'
import { answersNeeded } from './answers-needed.js'
import type { Operation } from './history.js'
import type { OperationLog } from './operation-log.js'
import type { PlannedOperation } from './plan.js'
import { randomStream } from './random-stream.js'
import { type SimulatedNode, wallClockBeginsMs } from './simulated-node.js'
import { decodeValue, encodeUnion, encodeValue, uniqueValue } from './value.js'
import type { World } from './world.js'

/** What a client keeps of a key: the context that it got, and the values that this context stands for. */
interface Known {
  context: Uint8Array
  values: readonly string[]
}

/** One planned operation under way. */
interface Running {
  readonly planned: PlannedOperation
  /** One for each key. */
  readonly operations: readonly Operation[]
  readonly requestId: RequestId
  readonly known: Known | undefined
  attemptsLeft: number
  coordinator: number
  /** Some attempt may have happened: what a later one says no longer settles it. */
  mayHaveHappened: boolean
}

/** After the deadline a node has so long to say that it is over. */
const patienceMs = 300

/** Timers are late by up to so much. */
const lateMs = 10

/** Answers after which a client tries again, if it may. */
const worthARetry = new Set(['CASKADE_UNCERTAIN', 'CASKADE_UNAVAILABLE', 'CASKADE_OVERLOADED', 'refused'])

const keyBytes = (key: string): Uint8Array => Buffer.from(key, 'latin1')

/** One session: runs its operations one after another and writes down what it saw. */
export class Client {
  readonly #world: World
  readonly #planned: readonly PlannedOperation[]
  readonly #log: OperationLog
  readonly #random: SeededRandom
  readonly #known = new Map<string, Known>()
  readonly #sessionContexts = new Map<string, Uint8Array>()
  #next = 0
  #busy = false

  constructor(world: World, name: string, planned: readonly PlannedOperation[], log: OperationLog) {
    this.#world = world
    this.#planned = planned
    this.#log = log
    this.#random = randomStream(world.options.seed, name)
  }

  get isDone(): boolean {
    return this.#next >= this.#planned.length && !this.#busy
  }

  /** Begins with the first operation, goes on by itself. */
  start(): void {
    const planned = this.#planned[this.#next]
    if (planned === undefined) return
    this.#next++
    this.#busy = true
    this.#world.after(planned.thinkMs, () => this.#begin(planned))
  }

  /** Nothing more after what is under way. */
  stop(): void {
    this.#next = this.#planned.length
  }

  #begin(given: PlannedOperation): void {
    const known = this.#known.get(`${given.bucket.name}/${given.keys[0]}`)
    // A deletion of siblings is of those that were seen: who has seen nothing looks.
    const looks = given.kind === 'delete' && given.bucket.rule === 'siblings' && known === undefined
    const planned: PlannedOperation = looks ? { ...given, kind: 'get' } : given
    const needsContext = planned.kind === 'delete' && planned.bucket.rule === 'siblings'
    const running: Running = {
      planned,
      requestId: { high: this.#random.between(0, 0x1_0000_0000), low: this.#random.between(1, 0x1_0000_0000) },
      known: planned.withContext || needsContext ? known : undefined,
      operations: [],
      attemptsLeft: planned.attempts,
      coordinator: planned.coordinator,
      mayHaveHappened: false,
    }
    const operations = planned.keys.map((key) => this.#operation(running, key))
    this.#attempt({ ...running, operations })
  }

  #operation({ planned, known }: Running, key: string): Operation {
    const { kind, bucket, level, client, number, expiresInMs } = planned
    const { nowMs } = this.#world
    const operation: Operation = {
      id: this.#log.nextId(),
      client,
      kind: kind === 'getMany' ? 'get' : kind,
      bucket,
      key,
      level,
      ...answersNeeded(bucket, level),
      value: kind === 'put' ? uniqueValue(key, client, number) : '',
      seen: kind === 'put' || kind === 'delete' ? (known?.values ?? []) : [],
      expiresAtMs: expiresInMs === 0 ? Number.POSITIVE_INFINITY : Math.floor(nowMs) + expiresInMs,
      beganAtMs: nowMs,
      endedAtMs: Number.POSITIVE_INFINITY,
      outcome: 'uncertain',
      code: '',
      values: [],
      timestampMs: undefined,
      contested: false,
      unanswered: false,
    }
    this.#log.operations.push(operation)
    return operation
  }

  #attempt(running: Running): void {
    const { nodes } = this.#world
    const { timeoutMs } = running.planned
    running.attemptsLeft--
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[running.coordinator++ % nodes.length]!
      let answered = false
      const answer = (result: Result | undefined) => {
        if (answered) return
        answered = true
        this.#answered(running, result)
      }
      const beganAtMs = this.#world.nowMs
      const deadlineMs = node.monotonicMs(timeoutMs)
      if (!node.request((id) => this.#request(running, id, deadlineMs), answer)) continue
      this.#world.after(timeoutMs + patienceMs, () => {
        if (answered) return
        if (node.isUp && !node.isPaused && node.disturbedAtMs < beganAtMs) this.#complain(running, node)
        answer(undefined)
      })
      return
    }
    this.#failed(running, 'refused', 'failed')
  }

  #complain({ operations }: Running, node: SimulatedNode): void {
    for (const operation of operations) operation.unanswered = true
    this.#world.trace.say(this.#world.nowMs, `node ${node.index} owes an answer to #${operations[0]!.id}`)
  }

  #request(running: Running, id: number, deadlineMs: number): ClientRequest {
    const { planned, known, requestId, operations } = running
    const { bucket, level } = planned
    const shared = { id, bucket: bucket.name, level, deadlineMs }
    const key = keyBytes(planned.keys[0]!)
    const context = known === undefined ? {} : { context: known.context }
    switch (planned.kind) {
      case 'getMany':
        return { ...shared, type: 'getMany', keys: planned.keys.map(keyBytes) }
      case 'get': {
        const sessionContext = this.#sessionContexts.get(`${bucket.name}/${planned.keys[0]}`)
        return { ...shared, type: 'get', key, ...(sessionContext === undefined ? {} : { sessionContext }) }
      }
      case 'delete':
        return { ...shared, type: 'delete', key, requestId, ...context }
      case 'put': {
        const { value, expiresAtMs } = operations[0]!
        return {
          ...shared,
          type: 'put',
          key,
          requestId,
          ...context,
          value:
            bucket.rule === 'union'
              ? encodeUnion([...(known?.values ?? []), value])
              : encodeValue(value, planned.padding),
          ...(planned.expiresInMs === 0 ? {} : { expiresAt: wallClockBeginsMs + expiresAtMs }),
          ...(planned.ifAbsent ? { condition: { ifAbsent: true } } : {}),
        }
      }
    }
  }

  #answered(running: Running, result: Result | undefined): void {
    if (result === undefined || result.status === 'error') {
      const code = result?.code ?? 'no answer'
      this.#failed(running, code, result === undefined || code === 'CASKADE_UNCERTAIN' ? 'uncertain' : 'failed')
      return
    }
    const results: readonly KeyResult[] = result.status === 'many' ? result.results : [result]
    for (const [i, operation] of running.operations.entries()) this.#settle(operation, results[i])
    this.#end(running)
  }

  #failed(running: Running, code: string, outcome: 'uncertain' | 'failed'): void {
    if (outcome === 'uncertain') running.mayHaveHappened = true
    if (running.attemptsLeft > 0 && (worthARetry.has(code) || outcome === 'uncertain')) {
      this.#world.after(20 + this.#random.between(0, 100), () => this.#attempt(running))
      return
    }
    for (const operation of running.operations) {
      operation.outcome = running.mayHaveHappened ? 'uncertain' : 'failed'
      operation.code = code
    }
    this.#end(running)
  }

  /** Takes down one key's answer, and what it teaches the session. */
  #settle(operation: Operation, result: KeyResult | undefined): void {
    const name = `${operation.bucket.name}/${operation.key}`
    operation.endedAtMs = this.#world.nowMs
    if (result === undefined || result.status === 'error') {
      operation.outcome = 'failed'
      operation.code = result?.code ?? 'no result'
      return
    }
    operation.outcome = 'ok'
    if (operation.kind !== 'get')
      this.#world.notice({ type: 'acknowledged', bucket: operation.bucket, key: operation.key })
    const { rule } = operation.bucket
    if (result.status === 'ok') operation.timestampMs = result.timestampMs
    const listed = result.status === 'ok' ? result.values.flatMap(({ value }) => decodeValue(rule, value)) : []
    // Concurrent unions overlap.
    const values = rule === 'union' ? [...new Set(listed)] : listed
    if (operation.kind === 'get') operation.values = values
    // A write's answer lists what stays beside it; nothing listed: the write is all there is.
    else if (operation.kind === 'put' && values.length === 0) values.push(operation.value)
    this.#known.set(name, { context: result.context, values })
    if (operation.kind === 'get' && operation.level !== 'session') return
    const before = this.#sessionContexts.get(name)
    this.#sessionContexts.set(name, before === undefined ? result.context : joinContexts(before, result.context))
  }

  #end({ operations, planned, attemptsLeft }: Running): void {
    const { trace, nowMs } = this.#world
    for (const operation of operations) {
      operation.contested =
        attemptsLeft < planned.attempts - 1 ||
        nowMs - operation.beganAtMs >= defaultNodeConfig.resendIntervalMs - lateMs
      if (operation.outcome !== 'uncertain') operation.endedAtMs = nowMs
      trace.number(operation.id)
    }
    this.#busy = false
    this.start()
  }
}
