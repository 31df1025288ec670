import { slotOf } from '../placement/slot.js'

/** Where the records of a partition stand among the keys of an engine's store: in some parts, the keys of each of which begin alike. */
export interface KeyLayout {
  /** Of every key, before the one that the cluster gave. */
  readonly prefixBytes: number
  readonly parts: number
  partOf(key: Uint8Array): number
  writePrefix(target: Uint8Array, partition: number, part: number): void
}

/** Of an ordered store: a partition is a range of keys, its number (u16, big-endian) and then the key. */
export const rangeLayout: KeyLayout = {
  prefixBytes: 2,
  parts: 1,
  partOf: () => 0,
  writePrefix: (target, partition) => {
    target[0] = partition >>> 8
    target[1] = partition
  },
}

const partsPerPartition = 16
/** No byte of a tag is a brace then. */
const tagBit = 0x80

/**
 * Of a store that is ordered by slot (Bitcask): a partition is 16 hash tags, `{` tag `}` and then the key. The engine scans a tag without a pass over the rest, and each
 * page of a scan sorts the keys of one tag only. With 1024 partitions each of the engine's 16,384 slots has exactly one tag: those of three bytes with
 * these bits differ in their CRC16.
 */
export const tagLayout: KeyLayout = {
  prefixBytes: 5,
  parts: partsPerPartition,
  partOf: (key) => slotOf(key, 0, key.length) % partsPerPartition,
  writePrefix: (target, partition, part) => {
    target[0] = 0x7b
    target[1] = tagBit | ((partition >>> 14) << 4) | part
    target[2] = tagBit | (partition >>> 7)
    target[3] = tagBit | partition
    target[4] = 0x7d
  },
}

/** What the longest prefix leaves of an engine's key of 65,535 bytes. */
export const prefixBytesMax = Math.max(rangeLayout.prefixBytes, tagLayout.prefixBytes)
