import { HttpError } from './http-error.js'

/**
 * Where a listing goes on: the last key given, in base64url behind a version letter. Opaque to clients, and it holds no
 * state here: keys written meanwhile behind it are seen, before it are not.
 */
export function encodeCursor(lastKey: Uint8Array): string {
  return `a${Buffer.from(lastKey.buffer, lastKey.byteOffset, lastKey.byteLength).toString('base64url')}`
}

export function decodeCursor(cursor: string): Buffer {
  const key = Buffer.from(cursor.slice(1), 'base64url')
  if (encodeCursor(key) !== cursor || key.length === 0)
    throw new HttpError(
      'CASKADE_BAD_REQUEST',
      'this cursor was not made by this API: pass the "cursor" of the page before, or none to start',
    )
  return key
}
