/** How many operations may resolve before the event loop gets a turn. */
const operationsPerTurn = 1000

/**
 * Most operations of the engine are done when they return. Awaited one after the other they would never leave the
 * microtask queue, and timers and sockets would starve for as long as a program goes on reading.
 */
export class EventTurn {
  #left = operationsPerTurn

  /** `undefined`: go on; else resolves after the event loop has turned. */
  spend(operations: number): Promise<void> | undefined {
    this.#left -= operations
    if (this.#left > 0) return undefined
    this.#left = operationsPerTurn
    return new Promise((resolve) => setImmediate(resolve))
  }
}
