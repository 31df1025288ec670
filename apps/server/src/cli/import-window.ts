/** A place in the input. */
export interface Mark {
  bytes: number
  lines: number
}

const overlaps = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => {
  for (const key of b) if (a.has(key)) return true
  return false
}

interface Flight {
  keys: ReadonlySet<string>
  end: Mark
  sent: Promise<void>
  done: boolean
}

/**
 * The batches under way, several at once, with two promises: records of one key are written in the order of the input, and
 * `acknowledged` is a mark up to which every record is written.
 */
export class ImportWindow {
  readonly #flightsMax: number
  #flights: Flight[] = []
  #acknowledged: Mark

  constructor(flightsMax: number, start: Mark) {
    this.#flightsMax = Math.max(1, flightsMax)
    this.#acknowledged = start
  }

  get acknowledged(): Mark {
    return this.#acknowledged
  }

  /** Waits for room, and for batches that hold one of these keys; then calls `send`. Rejects if a batch before failed. */
  async add(keys: ReadonlySet<string>, end: Mark, send: () => Promise<void>): Promise<void> {
    for (;;) {
      const pending = this.#flights.filter(({ done }) => !done)
      const clash = pending.find((flight) => overlaps(flight.keys, keys))
      if (clash !== undefined) await clash.sent
      else if (pending.length >= this.#flightsMax) await Promise.race(pending.map(({ sent }) => sent))
      else break
    }
    const flight: Flight = { keys, end, sent: Promise.resolve(), done: false }
    flight.sent = send().then(() => {
      flight.done = true
      this.#advance()
    })
    // A failure is seen by whoever waits next; without this it would end the process before.
    flight.sent.catch(() => {})
    this.#flights.push(flight)
  }

  /** Resolves when every batch has ended, well or not; rejects with the first failure. */
  async settle(): Promise<void> {
    const results = await Promise.allSettled(this.#flights.map(({ sent }) => sent))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  #advance(): void {
    while (this.#flights[0]?.done === true) this.#acknowledged = this.#flights.shift()!.end
  }
}
