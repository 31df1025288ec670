/** What a dictionary may take of its table's file, and of each reader's memory. */
export const dictionaryBytesMax = 16 * 1024
/** Of one value at most so much goes in. */
const pieceBytesMax = 1024
/** A dictionary is no more than this part of what it was made from: it is stored too. */
const sampleShare = 1 / 8

/**
 * A dictionary of a table's values: pieces of them, evenly spread over a sample of the first. Any choice is correct; this one costs nothing
 * and finds what most values share.
 */
export function makeDictionary(values: readonly Uint8Array[]): Uint8Array {
  let sampled = 0
  for (const value of values) sampled += Math.min(value.length, pieceBytesMax)
  const most = Math.min(dictionaryBytesMax, Math.floor(sampled * sampleShare))
  const dictionary = Buffer.alloc(most)
  let at = 0
  let credit = 0
  for (const value of values) {
    const piece = Math.min(value.length, pieceBytesMax)
    credit += (piece * most) / sampled
    if (credit < piece || at + piece > most) continue
    credit -= piece
    dictionary.set(value.subarray(0, piece), at)
    at += piece
  }
  return dictionary.subarray(0, at)
}
