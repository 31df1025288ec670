import { CaskadeError } from '../errors.js'
import type { SegmentFile, Storage } from '../io/storage.js'
import { segmentPath } from './file-names.js'
import { firstAllocation, nextAllocation } from './memtable/allocation-policy.js'
import type { Job } from './worker/job.js'
import type { JobRunner } from './worker/worker-jobs.js'

export interface SupplyHost {
  allocateFile(): number
  /** The directory could not be synced: nobody knows which names are on disk. */
  onFailure(error: unknown): void
  /** It could not be done ahead; the writer will try by itself. */
  onWarning(error: CaskadeError): void
}

/** Beyond two seconds something else is wrong: the writer tries by itself. */
const waitMs = 100
const waitsMax = 20

interface NextSegment {
  number: number
  path: string
  allocated: number
  ready: boolean
}

/**
 * Has a worker do, before it is needed, what takes the disk long: allocate space ahead of the writer, and create the segment
 * that follows. (Syncing the directory alone takes a journal commit: 0.2 to 300 ms on a busy ext4.) Space that is not ready in
 * time the writer allocates itself; a segment it waits for, since making another would take longer.
 *
 * Crash window: a segment made ahead is not listed, blank, and its number older than that of any segment listed while it
 * stays unused. The next open takes it for a stray. It is used before any of a higher number, or never.
 */
export class SegmentSupply {
  readonly #storage: Storage
  readonly #directory: string
  readonly #capacity: number
  readonly #runner: JobRunner
  readonly #host: SupplyHost
  #next: NextSegment | undefined
  /** Segments made ahead that were used. */
  #taken = 0
  /** What was asked for last. */
  #ahead = { path: '', allocated: 0 }

  constructor(storage: Storage, directory: string, capacity: number, runner: JobRunner, host: SupplyHost) {
    this.#storage = storage
    this.#directory = directory
    this.#capacity = capacity
    this.#runner = runner
    this.#host = host
  }

  /** To be called now and then while the active segment, whose frames end at `end`, is written. */
  prepare({ path, allocated, capacity }: SegmentFile, end: number): void {
    if (this.#runner.busy) return
    const ahead = this.#ahead.path === path ? Math.max(this.#ahead.allocated, allocated) : allocated
    const next = nextAllocation(ahead, capacity, 0)
    if (ahead < capacity && end > ahead - (next - ahead) / 2) this.#allocateAhead(path, next)
    else if (this.#next === undefined && end > capacity / 4) this.#createNext()
  }

  /** The writer then allocates the same space, which costs it nothing. */
  #allocateAhead(path: string, allocated: number): void {
    this.#ahead = { path, allocated }
    this.#runner.run({ type: 'allocate', path, allocated }, (error) => this.#warn(error))
  }

  #createNext(): void {
    const number = this.#host.allocateFile()
    const next = {
      number,
      path: segmentPath(this.#directory, number),
      allocated: this.#firstAllocation,
      ready: false,
    }
    this.#next = next
    const job: Job = { type: 'create', path: next.path, capacity: this.#capacity, allocated: next.allocated }
    this.#runner.run(job, (error) => {
      next.ready = error === undefined
      if (next.ready && this.#next === next) return
      if (this.#next === next) this.#next = undefined
      if (error?.code !== 'CASKADE_ABORTED') this.#remove(next)
      this.#warn(error)
      if (error?.code === 'CASKADE_IO') this.#host.onFailure(error)
    })
  }

  #warn(error: CaskadeError | undefined): void {
    if (error !== undefined && error.code !== 'CASKADE_ABORTED') this.#host.onWarning(error)
  }

  /** Whoever fills one segment will want more than a little of the next, and of the one after that more still. */
  get #firstAllocation(): number {
    return Math.max(firstAllocation(this.#capacity), this.#capacity >>> (this.#taken === 0 ? 3 : 1))
  }

  /** The segment made ahead, if it is there and large enough: its name is on disk, `capacityMin` bytes of it allocated. */
  take(capacityMin: number): { number: number; file: SegmentFile } | undefined {
    for (let waits = 0; this.#next?.ready === false && waits < waitsMax; waits++) this.#runner.wait(waitMs)
    const next = this.#next
    if (next === undefined) return undefined
    this.#next = undefined
    if (!next.ready) return undefined
    if (capacityMin <= this.#capacity) {
      this.#taken++
      const file = this.#storage.resumeSegment(next.path, Math.max(next.allocated, capacityMin))
      return { number: next.number, file }
    }
    this.#remove(next)
    return undefined
  }

  /** One made here and now, of `capacityMin` bytes at least and as many allocated. */
  create(capacityMin: number): { number: number; file: SegmentFile } {
    const number = this.#host.allocateFile()
    const path = segmentPath(this.#directory, number)
    const capacity = Math.max(capacityMin, this.#capacity)
    const file = this.#storage.createSegment(path, capacity, Math.max(firstAllocation(capacity), capacityMin))
    try {
      // Before the manifest lists it: a listed file that a power cut took away would look like damage.
      this.#storage.syncDirectory(this.#directory)
      return { number, file }
    } catch (error) {
      file.close()
      this.#storage.remove(path)
      throw error
    }
  }

  /** After the runner has stopped. */
  close(): void {
    if (this.#next !== undefined) this.#remove(this.#next)
    this.#next = undefined
  }

  /** If it cannot be removed now, the next open does. */
  #remove({ path }: NextSegment): void {
    try {
      this.#storage.remove(path)
    } catch (error) {
      if (!(error instanceof CaskadeError)) throw error
      this.#host.onWarning(error)
    }
  }
}
