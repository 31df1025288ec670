/** Bytes from a peer that are not what the format says. The whole frame is refused: nothing behind the damage is believed. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError'
  readonly offset: number

  constructor(offset: number, what: string) {
    super(`peer frame, offset ${offset}: ${what}`)
    this.offset = offset
  }
}
