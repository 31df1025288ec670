/*
 * When operations start. Pure arithmetic; times are milliseconds on one monotonic clock.
 */

/** All Infinity until every connection is up and the phase begins. */
export interface PhaseTimes {
  startMs: number
  /** Operations intended before this are warm-up: sent, not reported. */
  measureFromMs: number
  /** No operation is intended at or after this; Infinity: the quota ends the phase. */
  stopMs: number
}

/** Decides when one connection may start its next operation. */
export interface Pacer {
  /** When the operation after `sent` others was meant to start, if it may start by `nowMs`; else Infinity. */
  intendedMs(sent: number, nowMs: number): number
  /** No operation will start any more, whatever happens. */
  over(sent: number, nowMs: number): boolean
}

/** Closed loop: the next operation starts when there is room for it, so a slow server is asked less. */
export function closedLoop(times: PhaseTimes): Pacer {
  return {
    intendedMs: (_sent, nowMs) => (nowMs >= times.startMs && nowMs < times.stopMs ? nowMs : Number.POSITIVE_INFINITY),
    over: (_sent, nowMs) => nowMs >= times.stopMs,
  }
}

/**
 * Open loop: operations are due at a constant rate, in turn on each connection, whether or not the server keeps up. Latency counts from
 * the moment an operation was due, so the wait that a stall causes is in the figures (no coordinated omission; Gil Tene's term).
 */
export function openLoop(times: PhaseTimes, perSecond: number, index: number, connections: number): Pacer {
  const due = (sent: number) => dueMs(times.startMs, perSecond, sent * connections + index)
  return {
    intendedMs: (sent, nowMs) => {
      const at = due(sent)
      return at <= nowMs && at < times.stopMs ? at : Number.POSITIVE_INFINITY
    },
    over: (sent, nowMs) =>
      times.startMs === Number.POSITIVE_INFINITY ? nowMs >= times.stopMs : due(sent) >= times.stopMs,
  }
}

/** When operation `number` (from 0) of all connections together is due. */
export function dueMs(startMs: number, perSecond: number, number: number): number {
  return startMs + (number * 1000) / perSecond
}

/** How many operations were due before `nowMs`, the end of the phase at the latest. */
export function dueCount(times: PhaseTimes, perSecond: number, nowMs: number): number {
  const untilMs = Math.min(nowMs, times.stopMs)
  if (untilMs < times.startMs) return 0
  // The quotient may be off by one in its last bit; what counts is what `dueMs` says.
  let count = Math.round(((untilMs - times.startMs) * perSecond) / 1000)
  while (count > 0 && dueMs(times.startMs, perSecond, count - 1) >= untilMs) count--
  while (dueMs(times.startMs, perSecond, count) < untilMs) count++
  return count
}

/** How a total is shared out: the first connections get the remainder. */
export function shareOf(total: number, index: number, connections: number): number {
  if (total === Number.POSITIVE_INFINITY) return total
  return Math.floor(total / connections) + (index < total % connections ? 1 : 0)
}

/** Wait before reconnection attempt `attempt` (from 0): doubles from 10 ms to 1 s; `jitter` in [0, 1) spreads the connections. */
export function backOffMs(attempt: number, jitter: number): number {
  return Math.min(1000, 10 * 2 ** attempt) * (0.5 + jitter / 2)
}
