import type { SegmentFile } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { FoundRecord } from '../found-record.js'
import { kindPut } from '../record-cursor.js'
import { frameBytes, Memtable, segmentCapacityFor } from './memtable.js'

const records = 50_000
const keyLength = 20
const keys = Buffer.from(
  Array.from({ length: records }, (_, i) => `user${String(Math.imul(i, 7919)).padStart(16, '0')}`).join(''),
)
const value = Buffer.alloc(100, 'some value ')
const capacity = segmentCapacityFor(records * frameBytes(keyLength, value.length, 0))

/** A segment in memory: what remains is the encoding, the checksum and the index, as on a mapping that is resident. */
function memorySegment(): SegmentFile {
  const bytes = new Uint8Array(capacity)
  return {
    path: 'memory',
    capacity,
    bytes,
    allocated: capacity,
    allocate() {},
    commit() {},
    async syncLater() {},
    sync() {},
    shed: () => false,
    close() {},
  }
}

function append(memtable: Memtable, i: number): void {
  const start = i * keyLength
  const end = start + keyLength
  memtable.put(hashKey(keys, start, end), keys, start, end, value, 0, value.length, kindPut, 0, 0, 0, i + 1)
}

export const cases = {
  'log append, 20-byte key, 100-byte value': () => {
    const segment = memorySegment()
    let memtable = Memtable.create(1, segment, 1)
    let i = 0
    return () => {
      if (i === records) {
        memtable = Memtable.create(1, segment, 1)
        i = 0
      }
      append(memtable, i++)
    }
  },
  'log find': () => {
    const memtable = Memtable.create(1, memorySegment(), 1)
    for (let i = 0; i < records; i++) append(memtable, i)
    const target = new FoundRecord()
    let i = 0
    return () => {
      i = (i + 7919) % records
      const start = i * keyLength
      const end = start + keyLength
      return memtable.find(hashKey(keys, start, end), keys, start, end, Number.POSITIVE_INFINITY, target)
    }
  },
}
