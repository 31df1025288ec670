const samplesMax = 160

export interface LatencySample {
  timeSeconds: number
  milliseconds: number
}

export interface LatencyEvent {
  samples: LatencySample[]
  maxMs: number
}

/** LATENCY: the latest spikes per kind of event, one sample a second at most (the worst of it), as in Redis. */
export class LatencyEvents {
  /** Milliseconds from which something is a spike; 0: off. */
  threshold = 0
  readonly events = new Map<string, LatencyEvent>()

  add(name: string, milliseconds: number, timeSeconds: number): void {
    let event = this.events.get(name)
    if (event === undefined) {
      event = { samples: [], maxMs: 0 }
      this.events.set(name, event)
    }
    event.maxMs = Math.max(event.maxMs, milliseconds)
    const last = event.samples.at(-1)
    if (last?.timeSeconds === timeSeconds) {
      last.milliseconds = Math.max(last.milliseconds, milliseconds)
      return
    }
    event.samples.push({ timeSeconds, milliseconds })
    if (event.samples.length > samplesMax) event.samples.shift()
  }
}
