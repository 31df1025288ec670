import { answersNeeded } from './answers-needed.js'
import type { Bucket, History, Operation, Rule } from './history.js'

const bucketOf = (rule: Rule): Bucket => ({ name: rule, rule, n: 3, r: 2, w: 2 })

type Details = Partial<Omit<Operation, 'id' | 'bucket'>>

/** Histories by hand: operations of one key follow one another, a second each, unless they say otherwise. */
export class HistoryBuilder {
  readonly #bucket: Bucket
  readonly #operations: Operation[] = []
  readonly #finalReads: Operation[] = []
  readonly #probes: Operation[] = []

  constructor(rule: Rule) {
    this.#bucket = bucketOf(rule)
  }

  put(value: string, details: Details = {}): this {
    return this.#add({ kind: 'put', value, ...details })
  }

  delete(details: Details = {}): this {
    return this.#add({ kind: 'delete', ...details })
  }

  get(values: string[], details: Details = {}): this {
    return this.#add({ kind: 'get', values, ...details })
  }

  /** What a read of every replica shows in the end. */
  finally(values: string[], details: Details = {}): this {
    this.#finalReads.push(this.#operation({ kind: 'get', level: 'all', values, ...details }))
    return this
  }

  probe(details: Details): this {
    this.#probes.push(this.#operation({ kind: 'get', ...details }))
    return this
  }

  history(rest: Partial<History> = {}): History {
    return {
      operations: this.#operations,
      finalReads: this.#finalReads,
      probes: this.#probes,
      copies: [],
      topologies: [],
      changes: [],
      finalTopologies: [],
      clockErrorMaxMs: 0,
      damagedNodes: 0,
      lostDisks: 0,
      ...rest,
    }
  }

  #add(details: Details): this {
    this.#operations.push(this.#operation(details))
    return this
  }

  #operation(details: Details): Operation {
    const id = this.#operations.length + this.#finalReads.length + this.#probes.length + 1
    return {
      id,
      client: 1,
      kind: 'get',
      bucket: this.#bucket,
      key: 'k',
      level: 'quorum',
      ...answersNeeded(this.#bucket, details.level ?? 'quorum'),
      value: '',
      seen: [],
      expiresAtMs: Number.POSITIVE_INFINITY,
      beganAtMs: id * 1000,
      endedAtMs: details.outcome === 'uncertain' ? Number.POSITIVE_INFINITY : id * 1000 + 500,
      outcome: 'ok',
      code: '',
      values: [],
      timestampMs: undefined,
      contested: false,
      unanswered: false,
      ...details,
    }
  }
}
