const frames = 1024

/**
 * Frames are taken at most once: a repeated one would repeat what was refused before, such as a forwarded write whose asker
 * has told its client that it did not happen. Remembers the last 1024 numbers of each of one sender's last two runs; older ones count as lost.
 */
export class FrameWindow {
  #run = -1
  #highest = 0
  #seen = new Uint8Array(frames)
  /** Of the run before: its last frames may still be on their way. */
  #earlier: FrameWindow | undefined

  /** False: it was here before, or is too old to tell. */
  admit(run: number, number: number): boolean {
    if (run !== this.#run) {
      const earlier = this.#earlier
      if (earlier !== undefined && earlier.#run === run) return earlier.admit(run, number)
      if (this.#run !== -1) this.#retire()
      this.#run = run
    }
    if (number > this.#highest) {
      const fresh = Math.min(frames, number - this.#highest)
      for (let i = 0; i < fresh; i++) this.#seen[(number - i) % frames] = 0
      this.#highest = number
    } else if (number <= this.#highest - frames || this.#seen[number % frames] === 1) return false
    this.#seen[number % frames] = 1
    return true
  }

  #retire(): void {
    const earlier = this.#earlier ?? new FrameWindow()
    earlier.#run = this.#run
    earlier.#highest = this.#highest
    const seen = earlier.#seen
    earlier.#seen = this.#seen
    this.#earlier = earlier
    this.#seen = seen.fill(0)
    this.#highest = 0
  }
}
