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
  /** The newest stamp made, or seen and believed. */
  ms = 0
  logical = 0
  /** The stamp that the last `tick` made. */
  stampMs = 0
  stampLogical = 0
  /** Stamps not believed because they were too far ahead. Anything but 0: some clock in the cluster, or a client, is wrong. */
  refused = 0
  readonly #maxSkewMs: number

  /** `maxSkewMs`: how far ahead of the own wall clock a foreign stamp may be. */
  constructor(maxSkewMs: number) {
    this.#maxSkewMs = maxSkewMs
  }

  /**
   * Makes the next stamp, in `stampMs` and `stampLogical`: later than all before it, and than the stamp given, which is that of what
   * the write replaces. One too far ahead is followed without moving the clock: a bad clock spoils the keys it wrote, not all
   * others, and what it wrote can still be overwritten.
   */
  tick(wallMs: number, afterMs = 0, afterLogical = 0): void {
    const isBelieved = this.observe(afterMs, afterLogical, wallMs)
    if (wallMs > this.ms) {
      this.ms = wallMs
      this.logical = 0
    } else if (this.logical < logicalMax) this.logical++
    else {
      // 65,536 stamps in one millisecond, or a wall clock that went back: borrow from the next millisecond.
      this.ms++
      this.logical = 0
    }
    this.stampMs = this.ms
    this.stampLogical = this.logical
    if (!isBelieved) this.#follow(afterMs, afterLogical)
  }

  /**
   * Makes later stamps follow this one from elsewhere: false, and counted, if it is more than `maxSkewMs` ahead of the wall clock. One
   * bad clock would otherwise carry all others with it.
   */
  observe(ms: number, logical: number, wallMs: number): boolean {
    if (ms > wallMs + this.#maxSkewMs) {
      this.refused++
      return false
    }
    if (compareStamps(ms, logical, this.ms, this.logical) > 0) {
      this.ms = ms
      this.logical = logical
    }
    return true
  }

  /** Whatever the wall clock says, all later stamps follow this: what was promised in an earlier life of the process. */
  raise(ms: number): void {
    if (ms <= this.ms) return
    this.ms = ms
    this.logical = 0
  }

  #follow(ms: number, logical: number): void {
    if (compareStamps(ms, logical, this.stampMs, this.stampLogical) < 0) return
    const carries = logical === logicalMax && ms < stampMsMax
    this.stampMs = carries ? ms + 1 : ms
    this.stampLogical = carries ? 0 : Math.min(logical + 1, logicalMax)
  }
}
