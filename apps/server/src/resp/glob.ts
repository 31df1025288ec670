const anyByte = 256
const anyRun = 257
const firstClass = 512

/** Bytes of a pattern. */
export const globBytesMax = 65_535
/** Elements in a row without `*`: what one `*` may have to retry at each place of the key. */
const runMax = 1024

/** `undefined` when the pattern cannot be used; `reason` says why. */
export interface GlobError {
  reason: string
}

/**
 * Redis's glob: `*`, `?`, `[a-z]`, `[^a]`, `\x`. Compiled once, then matched with one point of return, so the cost of a match is
 * at most key length x the longest run between stars, whatever the pattern (the recursive matcher it stands for is
 * exponential, CVE-2022-36021, and deep, CVE-2024-31228).
 */
export class Glob {
  readonly #elements: Uint16Array
  readonly #classes: Uint8Array[]

  private constructor(elements: Uint16Array, classes: Uint8Array[]) {
    this.#elements = elements
    this.#classes = classes
  }

  static compile(pattern: Uint8Array): Glob | GlobError {
    if (pattern.length > globBytesMax) return { reason: `a pattern has at most ${globBytesMax} bytes` }
    const elements = new Uint16Array(pattern.length)
    const classes: Uint8Array[] = []
    const known = new Map<string, number>()
    let count = 0
    let run = 0
    let starred = false
    for (let at = 0; at < pattern.length; at++) {
      let element: number = pattern[at]!
      if (element === 42) {
        element = anyRun
        starred = true
        run = -1
        if (count > 0 && elements[count - 1] === anyRun) continue
      } else if (element === 63) {
        element = anyByte
      } else if (element === 92 && at + 1 < pattern.length) {
        element = pattern[++at]!
      } else if (element === 91) {
        const set = new Uint8Array(256)
        const start = at
        at = readClass(pattern, at + 1, set)
        const name = Buffer.from(pattern.subarray(start, at + 1)).toString('latin1')
        const index = known.get(name) ?? classes.push(set) - 1
        known.set(name, index)
        element = firstClass + index
      }
      elements[count++] = element
      if (++run > runMax && starred) return { reason: `a pattern has at most ${runMax} characters in a row after a *` }
    }
    return new Glob(elements.slice(0, count), classes)
  }

  matches(text: Uint8Array, start = 0, end: number = text.length): boolean {
    const elements = this.#elements
    let at = start
    let next = 0
    let retryElement = -1
    let retryAt = start
    while (at < end) {
      const element = next < elements.length ? elements[next]! : -1
      if (element === anyRun) {
        retryElement = ++next
        retryAt = at
      } else if (element >= 0 && this.#accepts(element, text[at]!)) {
        at++
        next++
      } else if (retryElement >= 0) {
        next = retryElement
        at = ++retryAt
      } else {
        return false
      }
    }
    while (next < elements.length && elements[next] === anyRun) next++
    return next === elements.length
  }

  #accepts(element: number, byte: number): boolean {
    return (
      element === byte ||
      element === anyByte ||
      (element >= firstClass && this.#classes[element - firstClass]![byte] === 1)
    )
  }
}

/** Fills `set` with the class that begins at `at`, behind its bracket; returns where it ends. Unclosed: at the last byte. */
function readClass(pattern: Uint8Array, at: number, set: Uint8Array): number {
  const negated = pattern[at] === 94
  if (negated) at++
  for (; at < pattern.length && pattern[at] !== 93; at++) {
    if (pattern[at] === 92 && at + 1 < pattern.length) {
      set[pattern[++at]!] = 1
    } else if (at + 2 < pattern.length && pattern[at + 1] === 45) {
      const from = Math.min(pattern[at]!, pattern[at + 2]!)
      const to = Math.max(pattern[at]!, pattern[at + 2]!)
      set.fill(1, from, to + 1)
      at += 2
    } else {
      set[pattern[at]!] = 1
    }
  }
  if (negated) for (let i = 0; i < 256; i++) set[i] = set[i] === 1 ? 0 : 1
  return Math.min(at, pattern.length - 1)
}
