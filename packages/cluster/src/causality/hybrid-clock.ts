/** Largest logical part of a stamp: 16 bits. */
export const logicalMax = 0xffff
/** Largest milliseconds of a stamp: 48 bits. */
export const stampMsMax = 2 ** 48 - 1

/** Order of two stamps: negative, zero or positive. */
export const compareStamps = (aMs: number, aLogical: number, bMs: number, bLogical: number): number =>
  aMs - bMs || aLogical - bLogical

/**
 * Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): close to the wall clock, and later than every
 * stamp it has seen. A stamp is two numbers, `ms` (48 bits) and `logical` (16 bits), kept apart: together they exceed a
 * safe integer, and a BigInt per write is an allocation.
 *
 * A stamp is unique with the actor that made it. The clock never goes back, whatever the wall clock does.
 */
export class HybridClock {
  /** The newest stamp, made or seen. */
  ms = 0
  logical = 0
  /** Stamps refused because they were too far ahead. Anything but 0: some clock in the cluster, or a client, is wrong. */
  refused = 0
  readonly #maxSkewMs: number

  /** `maxSkewMs`: how far ahead of the own wall clock a foreign stamp may be. */
  constructor(maxSkewMs: number) {
    this.#maxSkewMs = maxSkewMs
  }

  /** The next stamp, in `ms` and `logical`. */
  tick(wallMs: number): void {
    if (wallMs > this.ms) {
      this.ms = wallMs
      this.logical = 0
    } else if (this.logical < logicalMax) this.logical++
    else {
      // 65,536 stamps in one millisecond, or a wall clock that went back: borrow from the next millisecond.
      this.ms++
      this.logical = 0
    }
  }

  /** Makes later stamps follow this one, which the node has accepted before. */
  raise(ms: number, logical: number): void {
    if (compareStamps(ms, logical, this.ms, this.logical) <= 0) return
    this.ms = ms
    this.logical = logical
  }

  /**
   * As `raise` for a stamp from elsewhere: false, and counted, if it is more than `maxSkewMs` ahead of the wall clock. One
   * bad clock would otherwise carry all others with it, and its writes could not be overwritten for as long as it is ahead.
   */
  observe(ms: number, logical: number, wallMs: number): boolean {
    if (ms > wallMs + this.#maxSkewMs) {
      this.refused++
      return false
    }
    this.raise(ms, logical)
    return true
  }
}
