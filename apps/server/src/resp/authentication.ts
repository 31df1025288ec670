import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (secret: Uint8Array | string) => createHash('sha256').update(secret).digest()

/** Compares digests of equal length, so that time says nothing about the password or its length. */
export function passwordMatches(given: Uint8Array, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected))
}
