const isSpace = (byte: number | undefined) => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13)

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

const escapes = new Map([...'nrtba'].map((letter, i) => [letter.charCodeAt(0), '\n\r\t\b\x07'.charCodeAt(i)]))

/**
 * Splits an inline command as Redis does: blanks separate, `"…"` takes escapes (`\n`, `\x41`), `'…'` takes only `\'`.
 * `undefined`: quotes do not balance, or a closing quote is not followed by a blank. Linear in the line.
 */
export function splitInline(line: Uint8Array): Buffer[] | undefined {
  const found: Buffer[] = []
  // NUL ends the line, as in the C string it is in Redis.
  const zero = line.indexOf(0)
  const end = zero < 0 ? line.length : zero
  const word = Buffer.allocUnsafe(end)
  let at = 0
  for (;;) {
    while (at < end && isSpace(line[at])) at++
    if (at >= end) return found
    let length = 0
    let quote = 0
    for (; ; at++) {
      const byte = at < end ? line[at]! : -1
      if (quote === 0) {
        if (byte === -1 || byte === 32 || byte === 10 || byte === 13 || byte === 9) break
        if (byte === 34 || byte === 39) quote = byte
        else word[length++] = byte
      } else if (byte === -1) {
        return undefined
      } else if (byte === quote) {
        if (at + 1 < end && !isSpace(line[at + 1])) return undefined
        at++
        break
      } else if (byte === 92 && quote === 34 && at + 1 < end) {
        const high = line[at + 1] === 120 ? hexDigit(line[at + 2]) : -1
        const low = at + 3 < end ? hexDigit(line[at + 3]) : -1
        if (high >= 0 && low >= 0) {
          word[length++] = high * 16 + low
          at += 3
        } else {
          at++
          word[length++] = escapes.get(line[at]!) ?? line[at]!
        }
      } else if (byte === 92 && quote === 39 && line[at + 1] === 39) {
        word[length++] = 39
        at++
      } else {
        word[length++] = byte
      }
    }
    found.push(Buffer.from(word.subarray(0, length)))
  }
}
