/** The moment of an input, as an argument: no machine looks at a clock. */
export interface Now {
  /** Never goes back: timers and deadlines. */
  monotonicMs: number
  /** Milliseconds since the epoch; may jump: feeds the hybrid logical clock and expiry alone. */
  wallMs: number
}
