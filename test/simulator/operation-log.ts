import type { Operation } from './history.js'

/** Where every client of a run writes down what it does, in the order in which it began. */
export class OperationLog {
  readonly operations: Operation[] = []
  #issued = 0

  nextId(): number {
    return ++this.#issued
  }

  /** Takes out what came after the first `count`: a phase that is judged apart. */
  takeAfter(count: number): Operation[] {
    return this.operations.splice(count)
  }
}
