/** Upper bounds of the request time buckets, in seconds. */
export const requestSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] as const

export interface RouteCounter {
  method: string
  route: string
  status: number
  count: number
  seconds: number
  /** Requests at or below each bound, not cumulated. */
  buckets: number[]
}

/** Plain numbers counted as requests end; metrics read them when asked. */
export class HttpCounters {
  readonly routes = new Map<string, RouteCounter>()
  /** Connections dropped because too many were open. */
  connectionsDropped = 0
  /** Requests cut or refused before they were whole: bad syntax, too slow, headers too large. */
  clientErrors = 0

  add(method: string, route: string, status: number, seconds: number): void {
    const name = `${method} ${route} ${status}`
    let counter = this.routes.get(name)
    if (counter === undefined) {
      counter = { method, route, status, count: 0, seconds: 0, buckets: requestSecondsBounds.map(() => 0) }
      this.routes.set(name, counter)
    }
    counter.count++
    counter.seconds += seconds
    const bucket = requestSecondsBounds.findIndex((bound) => seconds <= bound)
    if (bucket !== -1) counter.buckets[bucket]!++
  }
}
