import { CaskadeError } from '../errors.js'
import { slotCount } from '../key-slot.js'
import type { JobResult } from '../lsm/worker/job.js'
import type { JobRunner } from '../lsm/worker/worker-jobs.js'
import type { DataFile } from './data-file.js'
import type { MergeJob, MergeOutputFile, MergeResult, MovedRecords } from './job.js'
import type { Keydir } from './keydir/keydir.js'

/** Entries looked at, and entries moved, in one step: a millisecond or two. */
const collectedPerStep = 10_000
const movedPerStep = 4000

export interface MergeHost {
  /** What the job needs besides the live offsets, when it begins. */
  prepare(inputs: readonly DataFile[]): Omit<MergeJob, 'type' | 'inputs'>
  /** Puts the outputs in force in place of the inputs: in the manifest, and open for reading. Throws with nothing changed. */
  enter(result: MergeResult, inputs: readonly DataFile[]): DataFile[]
  /** An input is not read any more; called until it returns true, step by step: giving its pages back takes the kernel a while. */
  release(input: DataFile): boolean
  /** All of them are released. */
  done(): void
  /** The outputs are not wanted, or the job failed. */
  discard(outputs: readonly MergeOutputFile[]): void
  /** The job failed when nobody wanted its result any more. */
  failedUnwanted(error: CaskadeError): void
}

type Phase =
  | { type: 'collecting'; slot: number }
  | { type: 'running' }
  | { type: 'moving'; moved: MovedRecords; next: number; written: DataFile[] }
  | { type: 'releasing'; next: number }

/**
 * One merge, in steps short enough to be taken between writes: collects the offsets that the keydir points at in the inputs, has a worker copy those
 * records, puts the outputs in force, then points the keydir at them. A record that is overwritten or deleted meanwhile is in a later
 * file, with a higher sequence: its copy is dead on arrival, and an entry that no longer points at the input is left alone.
 */
export class Merge {
  readonly inputs: readonly DataFile[]
  readonly #keydir: Keydir
  readonly #runner: JobRunner
  readonly #host: MergeHost
  readonly #done: (error: unknown) => void
  /** By file index: what was collected of an input. */
  readonly #live: (OffsetList | undefined)[] = []
  #phase: Phase
  #outputs: readonly MergeOutputFile[] = []
  #abandoned = false

  constructor(
    inputs: readonly DataFile[],
    keydir: Keydir,
    runner: JobRunner,
    host: MergeHost,
    done: (error: unknown) => void,
  ) {
    this.inputs = inputs
    this.#keydir = keydir
    this.#runner = runner
    this.#host = host
    this.#done = done
    for (const { index } of inputs) this.#live[index] = new OffsetList()
    this.#phase = { type: 'collecting', slot: 0 }
  }

  /** Whether `step` has something to do; else the worker has. */
  get hasStep(): boolean {
    return this.#phase.type !== 'running'
  }

  /** Not inside a batch: what it has changed may be taken back. */
  step(): void {
    if (this.#phase.type === 'collecting') this.#collect()
    else if (this.#phase.type === 'moving') this.#move()
    else if (this.#phase.type === 'releasing') this.#release()
  }

  /** The inputs are gone. What it was doing is not wanted any more; `done` is still called. */
  abandon(): void {
    if (this.#phase.type === 'collecting') this.#finish(undefined)
    else if (this.#phase.type === 'running') this.#abandoned = true
    else while (this.hasStep) this.step()
  }

  #finish(error: unknown): void {
    this.#phase = { type: 'running' }
    this.#done(error)
  }

  #collect(): void {
    const phase = this.#phase as Extract<Phase, { type: 'collecting' }>
    for (let seen = 0; seen < collectedPerStep; ) {
      const slot = this.#keydir.nextSlot(phase.slot, 1, 0)
      phase.slot = slot + 1
      if (slot >= slotCount) break
      seen += this.#keydir.visit(slot, this.#collectOne)
    }
    if (phase.slot >= slotCount) this.#run()
  }

  readonly #collectOne = (file: number, offset: number): void => this.#live[file]?.add(offset)

  #run(): void {
    let job: MergeJob
    try {
      const inputs = this.inputs.map(({ path, number, salt, end, index }) => ({
        path,
        number,
        salt,
        end,
        live: this.#live[index]!.take(),
      }))
      job = { type: 'merge', inputs, ...this.#host.prepare(this.inputs) }
    } catch (error) {
      this.#finish(error)
      return
    }
    this.#outputs = job.outputs
    this.#phase = { type: 'running' }
    this.#runner.run(job, (error, result) => this.#answered(error, result))
  }

  #answered(error: CaskadeError | undefined, result: JobResult | undefined): void {
    if (this.#abandoned || result?.type !== 'merge') {
      this.#host.discard(this.#outputs)
      if (this.#abandoned && error !== undefined) this.#host.failedUnwanted(error)
      this.#done(
        this.#abandoned ? undefined : (error ?? new CaskadeError('CASKADE_ABORTED', 'the merge had no result')),
      )
      return
    }
    let written: DataFile[]
    try {
      written = this.#host.enter(result, this.inputs)
    } catch (failure) {
      this.#host.discard(this.#outputs)
      this.#done(failure)
      return
    }
    this.#phase = { type: 'moving', moved: result.moved, next: 0, written }
  }

  #move(): void {
    const phase = this.#phase as Extract<Phase, { type: 'moving' }>
    const { moved, written } = phase
    const end = Math.min(phase.next + movedPerStep, moved.slots.length)
    for (let i = phase.next; i < end; i++) this.#moveOne(moved, i, written)
    phase.next = end
    if (end === moved.slots.length) this.#phase = { type: 'releasing', next: 0 }
  }

  #release(): void {
    const phase = this.#phase as Extract<Phase, { type: 'releasing' }>
    if (this.#host.release(this.inputs[phase.next]!)) phase.next++
    if (phase.next < this.inputs.length) return
    this.#host.done()
    this.#finish(undefined)
  }

  #moveOne(
    { slots, hashes, inputs, oldOffsets, outputs, offsets, sizes }: MovedRecords,
    i: number,
    written: DataFile[],
  ): void {
    const keydir = this.#keydir
    const input = this.inputs[inputs[i]!]!
    let found = keydir.find(slots[i]!, hashes[i]!)
    while (found && !(keydir.file === input.index && keydir.offset === oldOffsets[i])) found = keydir.findNext()
    if (!found) return
    const output = outputs[i]!
    if (output < 0) keydir.remove()
    else {
      const file = written[output]!
      keydir.replace(file.index, offsets[i]!)
      file.liveBytes += sizes[i]!
    }
  }
}

/** So many offsets in a piece: zeroing the memory for all that a file may hold at once would be a pause. */
const offsetsPerPieceMax = 1 << 15

/** Offsets in shared memory: the worker sorts them, so that this thread need not. */
class OffsetList {
  readonly #pieces: Uint32Array[] = []
  #last: Uint32Array = new Uint32Array(0)
  #length = 0

  add(offset: number): void {
    if (this.#length === this.#last.length) this.#grow()
    this.#last[this.#length++] = offset
  }

  #grow(): void {
    const length = Math.min(Math.max(2 * this.#last.length, 64), offsetsPerPieceMax)
    this.#last = new Uint32Array(new SharedArrayBuffer(4 * length))
    this.#pieces.push(this.#last)
    this.#length = 0
  }

  take(): Uint32Array[] {
    return this.#pieces.map((piece) => (piece === this.#last ? piece.subarray(0, this.#length) : piece))
  }
}
