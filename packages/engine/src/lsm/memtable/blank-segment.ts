import type { SegmentFile } from '../../io/storage.js'
import { framesStart } from './segment-format.js'

/** The log of a store that takes no writes: a segment without a file, and without room for a record. */
export function blankSegment(directory: string): SegmentFile {
  return {
    path: directory,
    capacity: 0,
    bytes: new Uint8Array(framesStart),
    allocated: 0,
    allocate: () => {},
    commit: () => {},
    syncLater: async () => {},
    sync: () => {},
    shed: () => false,
    close: () => {},
  }
}
