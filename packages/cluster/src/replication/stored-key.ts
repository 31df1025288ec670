import { partitionOfSlot, slotOf } from '../placement/slot.js'

/** Longest key of a client: 32 KiB. Its hint's name, in hexadecimal, still fits a name of the store. */
export const keyBytesMax = 32_000

const bucketBytes = 2

/** A key as it is stored: the bucket's number (big-endian), then the client's key. Slots are the client's key's alone. */
export function storedKey(bucket: number, key: Uint8Array): Uint8Array {
  const size = key.length
  // Up to 64 bytes lie in the JavaScript heap: cheaper than a piece of a pool.
  const stored = size < 62 ? new Uint8Array(bucketBytes + size) : Buffer.allocUnsafe(bucketBytes + size)
  stored[0] = bucket >>> 8
  stored[1] = bucket
  if (size < 48) for (let i = 0; i < size; i++) stored[bucketBytes + i] = key[i]!
  else stored.set(key, bucketBytes)
  return stored
}

export const bucketOfKey = (stored: Uint8Array): number => (stored[0]! << 8) | stored[1]!

export const partitionOf = (stored: Uint8Array, partitions: number): number =>
  partitionOfSlot(slotOf(stored, bucketBytes, stored.length), partitions)
