const frames = 1024

/**
 * Frames are taken at most once: a repeated one would repeat what was refused before, such as a forwarded write whose asker
 * has told its client that it did not happen. Remembers the last 1024 numbers of one sender; older ones count as lost.
 */
export class FrameWindow {
  #run = -1
  #highest = 0
  readonly #seen = new Uint8Array(frames)

  /** False: it was here before, or is too old to tell. */
  admit(run: number, number: number): boolean {
    if (run !== this.#run) {
      this.#run = run
      this.#highest = 0
      this.#seen.fill(0)
    }
    if (number > this.#highest) {
      const fresh = Math.min(frames, number - this.#highest)
      for (let i = 0; i < fresh; i++) this.#seen[(number - i) % frames] = 0
      this.#highest = number
    } else if (number <= this.#highest - frames || this.#seen[number % frames] === 1) return false
    this.#seen[number % frames] = 1
    return true
  }
}
