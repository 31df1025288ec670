const shownBytes = 80

/** Bytes as text that a terminal and a diff can take: printable ASCII as it is, the rest escaped, cut at 80 bytes. */
export function escaped(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = ''
  for (let i = start; i < Math.min(end, start + shownBytes); i++) {
    const byte = bytes[i]!
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`
    else text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return end - start > shownBytes ? `"${text}"… (${end - start} bytes)` : `"${text}"`
}

export const hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0')

export const line = (offset: number, text: string) => `${String(offset).padStart(10)}  ${text}`
