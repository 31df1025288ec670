import { viewOf } from '../../bytes.js'
import type { Storage } from '../../io/storage.js'
import { FoundRecord } from '../found-record.js'
import { align8, frameHeaderBytes, framesStart, readSegmentHeader, readWatermark } from '../memtable/segment-format.js'
import { walkFrames } from '../memtable/segment-frames.js'
import { readRecord, recordEnd } from '../memtable/segment-record.js'
import { salvageFrames } from '../repair/segment-salvage.js'
import { hex, line } from './inspect-text.js'
import { recordText } from './record-text.js'

/**
 * Every frame that can be read, and where others should be; `merged`: a merge wrote it, and sealed it. Memory: none where files are mapped,
 * else the segment's size.
 */
export function* inspectSegment(storage: Storage, path: string, number: number, merged = false): Generator<string> {
  const file = storage.openSegment(path)
  try {
    const segment = { bytes: file.bytes, view: viewOf(file.bytes) }
    yield line(0, `${merged ? 'merged data file' : 'log segment'} ${number}, ${file.capacity} bytes`)
    const header = readSegmentHeader(segment.view, file.bytes, path, number)
    if (header === undefined) {
      yield line(0, 'header blank: it never reached the disk')
      return
    }
    yield line(12, `salt ${hex(header.salt)}, header checksum ok`)
    const { generation, syncedEnd } = readWatermark(segment.view, file.bytes, header.salt)
    yield line(64, `watermark ${generation}: synced up to ${syncedEnd}`)
    const record = new FoundRecord()
    let at = framesStart
    for (const { start, end } of salvageFrames(segment, header.salt)) {
      if (start !== at) yield line(at, `DAMAGED: ${start - at} bytes without a valid frame`)
      const count = segment.view.getUint32(start + 8, true)
      yield line(start, `frame of ${end - start} bytes, ${count} ${count === 1 ? 'record' : 'records'}, checksum ok`)
      for (let each = start + frameHeaderBytes; each < end; each = recordEnd(segment.view, each)) {
        readRecord(segment, each, record)
        yield line(each, `  ${recordText(record)}`)
      }
      at = align8(end)
    }
    const walk = walkFrames(segment, header.salt, path, file.capacity, () => {})
    const unsealed = merged ? 'DAMAGED: not sealed, as every merged file is' : 'end: not sealed'
    yield line(at, walk.sealed ? 'seal: nothing is missing' : unsealed)
  } finally {
    file.close()
  }
}
