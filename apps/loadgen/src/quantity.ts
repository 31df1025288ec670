/*
 * Numbers as people write them on a command line. Each throws an Error that says what was expected.
 */

const factors: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

/** `100000`, `100K`, `1.5M`: a whole number from `min` to `max`. */
export function parseCount(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text.trim())
  const count = match === null ? Number.NaN : Number(match[1]) * factors[match[2]!.toLowerCase()]!
  if (!Number.isInteger(count) || count < min || count > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`
    throw new Error(`${name} takes a whole number ${range} (K, M and G allowed), not '${text}'`)
  }
  return count
}

const unitsMs: Record<string, number> = { '': 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `10` and `10s` are ten seconds; also `500ms`, `2m`, `1h`. In milliseconds. */
export function parseDuration(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim())
  if (match === null) throw new Error(`${name} takes a time such as 10s, 500ms or 2m, not '${text}'`)
  return Number(match[1]) * unitsMs[match[2] ?? '']!
}

/** From 0 to 1. */
export function parseFraction(name: string, text: string): number {
  const fraction = Number(text)
  if (text.trim() === '' || !(fraction >= 0 && fraction <= 1))
    throw new Error(`${name} takes a fraction from 0 to 1, not '${text}'`)
  return fraction
}

/** `host:port`, `:port`, `[::1]:port`. */
export function parseTarget(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/]*)):(\d+)$/.exec(text.trim())
  const port = Number(match?.[3])
  if (match === null || !(port >= 1 && port <= 65535)) throw new Error(`--target takes HOST:PORT, not '${text}'`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}
