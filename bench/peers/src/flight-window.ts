/** Keeps up to so many promises in flight: a full window is waited for as a whole. */
export class FlightWindow {
  readonly #size: number
  #pending: Promise<unknown>[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** A promise: wait for it before the next one. */
  add(promise: Promise<unknown>): Promise<unknown> | undefined {
    this.#pending.push(promise)
    return this.#pending.length < this.#size ? undefined : this.drain()
  }

  drain(): Promise<unknown> {
    const pending = this.#pending
    this.#pending = []
    return Promise.all(pending)
  }
}
