import { crc32 } from 'node:zlib'
import smallCrc32 from 'crc-32'

/** Below it the JavaScript CRC-32 beats the native one, which pays for the crossing. Same polynomial, same result. */
const nativeBytesMin = 256

/**
 * CRC-32 of the parts of one file. Besides the bytes it covers the file's number, the part's offset and its kind, so that
 * a part that lies in the wrong place, in the wrong file, or is taken for something else does not match.
 */
export class PartChecksum {
  readonly #context = new Uint8Array(16)
  readonly #view = new DataView(this.#context.buffer)

  constructor(fileNumber: number) {
    this.#view.setUint32(0, fileNumber, true)
    this.#view.setUint32(4, Math.floor(fileNumber / 2 ** 32), true)
  }

  /** To be continued with `extendChecksum` over the part's bytes. */
  begin(kind: number, offset: number): number {
    this.#view.setUint32(8, offset, true)
    this.#view.setUint32(12, Math.floor(offset / 2 ** 32) | (kind << 24), true)
    return smallCrc32.buf(this.#context)
  }

  of(kind: number, offset: number, bytes: Uint8Array): number {
    return extendChecksum(this.begin(kind, offset), bytes) >>> 0
  }
}

export function extendChecksum(checksum: number, bytes: Uint8Array): number {
  return bytes.length < nativeBytesMin ? smallCrc32.buf(bytes, checksum) : crc32(bytes, checksum >>> 0)
}
