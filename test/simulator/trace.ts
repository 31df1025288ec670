import { crc32 } from 'node:zlib'

/**
 * What happened, in order: as 64 bits that tell two runs apart, and in words when somebody wants to read them. Every
 * scheduled happening adds to it: two runs with the same hash are the same run.
 */
export class Trace {
  readonly #say: ((line: string) => void) | undefined
  #low = 0x811c_9dc5
  #high = 0x1234_5678

  constructor(say?: (line: string) => void) {
    this.#say = say
  }

  /** Lines are wanted: make them. */
  get wordy(): boolean {
    return this.#say !== undefined
  }

  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** Of virtual time: to the thousandth of a millisecond. */
  moment(atMs: number): void {
    this.number(atMs * 1000)
  }

  number(value: number): void {
    const mixed = Math.imul(value | 0, 0x85eb_ca6b)
    this.#low = Math.imul(this.#low ^ mixed ^ (mixed >>> 13), 0x9e37_79b1)
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15), 0xc2b2_ae35) ^ (this.#low << 7)
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length)
    this.number(crc32(bytes))
  }

  text(text: string): void {
    this.number(crc32(text))
  }

  say(atMs: number, line: string): void {
    this.#say?.(`${atMs.toFixed(3).padStart(11)} ${line}`)
  }
}
