import { HttpError } from './http-error.js'

const hexValue = (code: number): number =>
  code >= 0x30 && code <= 0x39
    ? code - 0x30
    : code >= 0x41 && code <= 0x46
      ? code - 0x37
      : code >= 0x61 && code <= 0x66
        ? code - 0x57
        : -1

/**
 * The bytes that a percent-encoded text stands for: any bytes, not only UTF-8, for a key is bytes. `plusIsSpace` as in
 * query strings.
 */
export function percentDecode(text: string, plusIsSpace = false): Buffer {
  // Node hands URLs over as latin1: one character is one byte as it came.
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x25) {
      const high = hexValue(text.charCodeAt(i + 1))
      const low = hexValue(text.charCodeAt(i + 2))
      if (high < 0 || low < 0)
        throw new HttpError(
          'CASKADE_BAD_REQUEST',
          `a "%" in the URL is followed by two hexadecimal digits, not "${text.slice(i + 1, i + 3)}"`,
        )
      bytes[length++] = high * 16 + low
      i += 2
    } else bytes[length++] = plusIsSpace && code === 0x2b ? 0x20 : code
  }
  return bytes.subarray(0, length)
}

/** `percentDecode`'s inverse, for one path or query component. */
export function percentEncode(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    text += /[A-Za-z0-9_.~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

const keyPrefix = '/api/v1/kv/'
/** Where no route is. */
const noPath = '/-'

/**
 * The router decodes paths as UTF-8 and gives `/` and `%2F` meanings; a key may be any bytes. So before routing, everything
 * after `/api/v1/kv/` becomes base64url of the key's bytes: one opaque segment that no path trick can leave. A path that is
 * not well encoded stays as it is and finds no route. `keyed`: the method takes a key in the path.
 */
export function hideKeyInPath(target: string, keyed = true): string {
  // The absolute form, which proxies send, means its path.
  const url = target.replace(/^https?:\/\/[^/?]*/i, '')
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const search = query === -1 ? '' : url.slice(query)
  // No other path has anything to encode: one that does is a disguise.
  if (!keyed || !path.startsWith(keyPrefix)) return path.includes('%') ? noPath : url
  if (/%(?![0-9a-f]{2})/i.test(path)) return url
  // `~` keeps the segment apart from anything a client could have written there, and an empty key routable.
  return `${keyPrefix}~${percentDecode(path.slice(keyPrefix.length)).toString('base64url')}${search}`
}

export function revealKey(segment: string): Buffer {
  return Buffer.from(segment.slice(1), 'base64url')
}

/** Query parameters with values as bytes in latin1 text (`Buffer.from(value, 'latin1')`): a prefix may be any bytes. */
export function parseQuery(text: string): Record<string, string> {
  const parsed: Record<string, string> = Object.create(null)
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = percentDecode(equals === -1 ? pair : pair.slice(0, equals), true).toString('latin1')
    if (name in parsed) throw new HttpError('CASKADE_BAD_REQUEST', `the query names "${name}" twice`)
    parsed[name] = equals === -1 ? '' : percentDecode(pair.slice(equals + 1), true).toString('latin1')
  }
  return parsed
}
