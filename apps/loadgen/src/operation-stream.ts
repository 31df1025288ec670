import { type ChooserPlan, type KeyChooser, keyChooser } from './key-chooser.js'
import { Random } from './random.js'
import { insertOperation, scanOperation, type Workload } from './workload.js'

/** One connection's operations. The fields hold the current one; `next` moves on. */
export interface OperationStream {
  kind: number
  /** Record numbers: `count` of them are in use. */
  readonly records: Float64Array
  count: number
  scanLength: number
  next(): void
}

export interface ConnectionPlace {
  index: number
  connections: number
}

/**
 * The run phase. The same (seed, connection) gives the same operations whatever the server does: for that reason a connection
 * inserts records of its own (record count + n x connections + index) and sees, beside the loaded records, only those,
 * so "latest" means the newest of this connection.
 */
export class RunStream implements OperationStream {
  kind = 0
  readonly records: Float64Array
  count = 1
  scanLength = 0
  readonly #workload: Workload
  readonly #chooser: KeyChooser
  readonly #random: Random
  readonly #place: ConnectionPlace
  readonly #loaded: number
  readonly #thresholds: readonly number[]
  #inserted = 0

  /** @param readBatch keys of one read operation. */
  constructor(workload: Workload, plan: ChooserPlan, seed: number, place: ConnectionPlace, readBatch: number) {
    this.records = new Float64Array(readBatch)
    this.#workload = workload
    this.#random = new Random(seed, place.index)
    this.#chooser = keyChooser(plan, this.#random)
    this.#place = place
    this.#loaded = plan.count
    let sum = 0
    this.#thresholds = workload.proportions.map((proportion) => {
      sum += proportion
      return sum
    })
  }

  next(): void {
    const u = this.#random.nextFloat()
    let kind = 0
    while (kind < this.#thresholds.length - 1 && u >= this.#thresholds[kind]!) kind++
    this.kind = kind
    this.count = 1
    if (kind === insertOperation) {
      this.records[0] = this.#recordAt(this.#loaded + this.#inserted)
      this.#inserted++
      return
    }
    if (kind === 0) this.count = this.records.length
    for (let i = 0; i < this.count; i++) this.records[i] = this.#choose()
    if (kind === scanOperation) this.scanLength = 1 + this.#random.below(this.#workload.scanLengthMax)
  }

  #choose(): number {
    return this.#recordAt(this.#chooser.next(this.#loaded + this.#inserted))
  }

  #recordAt(index: number): number {
    if (index < this.#loaded) return index
    return this.#loaded + (index - this.#loaded) * this.#place.connections + this.#place.index
  }
}

/** Every record once, in turn, shared out among the connections: the load phase (inserts) and re-reading everything (reads). */
export class SweepStream implements OperationStream {
  readonly kind: number
  readonly records = new Float64Array(1)
  readonly count = 1
  readonly scanLength = 0
  readonly #step: number
  #record: number

  constructor(kind: number, place: ConnectionPlace) {
    this.kind = kind
    this.#step = place.connections
    this.#record = place.index
  }

  next(): void {
    this.records[0] = this.#record
    this.#record += this.#step
  }

  /** How many of `records` fall to this connection. */
  static share(records: number, place: ConnectionPlace): number {
    return Math.max(0, Math.ceil((records - place.index) / place.connections))
  }
}
