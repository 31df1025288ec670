import { CaskadeError } from '../errors.js'
import { slotCount } from '../key-slot.js'
import type { JobResult } from '../lsm/worker/job.js'
import type { JobRunner } from '../lsm/worker/worker-jobs.js'
import type { DataFile } from './data-file.js'
import type { MergeJob, MergeOutputFile, MergeResult, MovedRecords } from './job.js'
import { entryFile, entryOffset, type Keydir } from './keydir/keydir.js'

/** Entries looked at, and entries moved, in one step: a millisecond or two. */
const collectedPerStep = 50_000
const movedPerStep = 10_000

export interface MergeHost {
  /** What the job needs besides the live offsets, when it begins. */
  prepare(inputs: readonly DataFile[]): Omit<MergeJob, 'type' | 'inputs'>
  /** Puts the outputs in force in place of the inputs: in the manifest, and open for reading. Throws with nothing changed. */
  enter(result: MergeResult, inputs: readonly DataFile[]): DataFile[]
  /** The inputs are not read any more. */
  done(inputs: readonly DataFile[]): void
  /** The outputs are not wanted, or the job failed. */
  discard(outputs: readonly MergeOutputFile[]): void
  /** The job failed when nobody wanted its result any more. */
  failedUnwanted(error: CaskadeError): void
}

type Phase =
  | { type: 'collecting'; slot: number; live: OffsetList[] }
  | { type: 'running' }
  | { type: 'moving'; moved: MovedRecords; next: number; written: DataFile[] }

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
  /** By file index: which input, or -1. */
  readonly #inputOf = new Map<number, number>()
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
    for (const [i, { index }] of inputs.entries()) this.#inputOf.set(index, i)
    this.#phase = { type: 'collecting', slot: 0, live: inputs.map(({ summary }) => new OffsetList(summary.records)) }
  }

  /** Whether `step` has something to do; else the worker has. */
  get hasStep(): boolean {
    return this.#phase.type !== 'running'
  }

  /** Not inside a batch: what it has changed may be taken back. */
  step(): void {
    if (this.#phase.type === 'collecting') this.#collect(this.#phase.live)
    else if (this.#phase.type === 'moving') this.#move()
  }

  /** The inputs are gone. What it was doing is not wanted any more; `done` is still called. */
  abandon(): void {
    if (this.#phase.type === 'moving') while (this.#phase.type === 'moving') this.#move()
    else if (this.#phase.type === 'collecting') this.#finish(undefined)
    else this.#abandoned = true
  }

  #finish(error: unknown): void {
    this.#phase = { type: 'running' }
    this.#done(error)
  }

  #collect(live: OffsetList[]): void {
    const phase = this.#phase as Extract<Phase, { type: 'collecting' }>
    for (let seen = 0; seen < collectedPerStep; ) {
      const slot = this.#keydir.nextSlot(phase.slot, 1, 0)
      phase.slot = slot + 1
      if (slot >= slotCount) break
      const entries = this.#keydir.entries(slot)
      for (let at = 0; at < entries.length; at += 2) {
        const input = this.#inputOf.get(entryFile(entries, at))
        if (input !== undefined) live[input]!.add(entryOffset(entries, at))
      }
      seen += entries.length / 2
    }
    if (phase.slot >= slotCount) this.#run(live)
  }

  #run(live: OffsetList[]): void {
    let job: MergeJob
    try {
      const inputs = this.inputs.map(({ path, number, salt, end }, i) => ({
        path,
        number,
        salt,
        end,
        live: live[i]!.take(),
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
    if (end < moved.slots.length) return
    this.#host.done(this.inputs)
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

/** Offsets in shared memory: the worker sorts them, so that this thread need not. */
class OffsetList {
  readonly #offsets: Uint32Array
  #length = 0

  /** At most so many. */
  constructor(capacity: number) {
    this.#offsets = new Uint32Array(new SharedArrayBuffer(4 * capacity))
  }

  add(offset: number): void {
    this.#offsets[this.#length++] = offset
  }

  take(): Uint32Array {
    return this.#offsets.subarray(0, this.#length)
  }
}
