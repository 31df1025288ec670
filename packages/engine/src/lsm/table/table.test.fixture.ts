import { compareBytes } from '../../bytes.js'
import { hashKey } from '../../key-hash.js'
import { kindPut, type RecordFields } from '../record-cursor.js'
import { BlockCache } from './block-cache.js'
import { MemoryAppendFile, MemoryReadFile } from './memory-file.test.fixture.js'
import type { Passage } from './table-blocks.js'
import { TableBuilder } from './table-builder.js'
import type { TableOptions, TableSummary } from './table-format.js'
import { TableReader } from './table-reader.js'

/** Tables in memory, for the tests of this directory. */
export interface ModelRecord {
  key: Uint8Array
  value: Uint8Array
  sequence: number
  kind: number
  expiresAt: number
  tag: number
  writtenAt: number
}

export const defaultOptions: TableOptions = { blockBytes: 4096, bloomBitsPerKey: 10, compression: 'lz4' }
export const fileNumber = 7

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}

export function put(key: string | Uint8Array, value: string | Uint8Array = '', sequence = 1): ModelRecord {
  return {
    key: typeof key === 'string' ? bytes(key) : key,
    value: typeof value === 'string' ? bytes(value) : value,
    sequence,
    kind: kindPut,
    expiresAt: 0,
    tag: 0,
    writtenAt: 0,
  }
}

/** The order of a table. */
export function sorted(records: readonly ModelRecord[]): ModelRecord[] {
  return records.toSorted((a, b) => compareBytes(a.key, b.key) || b.sequence - a.sequence)
}

export function lend(record: ModelRecord): RecordFields {
  // At odd places of one buffer, as records of a log segment lie.
  const source = Buffer.concat([bytes('<'), record.key, bytes('|'), record.value, bytes('>')])
  const keyEnd = 1 + record.key.length
  return {
    keyBytes: source,
    keyStart: 1,
    keyEnd,
    valueBytes: source,
    valueStart: keyEnd + 1,
    valueEnd: keyEnd + 1 + record.value.length,
    sequence: record.sequence,
    kind: record.kind,
    expiresAt: record.expiresAt,
    tag: record.tag,
    writtenAt: record.writtenAt,
  }
}

export function hashOf(key: Uint8Array): number {
  return hashKey(key, 0, key.length)
}

export function owned(fields: RecordFields): ModelRecord {
  return {
    key: new Uint8Array(fields.keyBytes.subarray(fields.keyStart, fields.keyEnd)),
    value: new Uint8Array(fields.valueBytes.subarray(fields.valueStart, fields.valueEnd)),
    sequence: fields.sequence,
    kind: fields.kind,
    expiresAt: fields.expiresAt,
    tag: fields.tag,
    writtenAt: fields.writtenAt,
  }
}

export function buildTable(
  records: readonly ModelRecord[],
  options: Partial<TableOptions> = {},
  number = fileNumber,
): { bytes: Uint8Array; summary: TableSummary; estimatedBytes: number } {
  const file = new MemoryAppendFile('000007.sst')
  const builder = new TableBuilder(file, { ...defaultOptions, ...options }, number)
  for (const record of records) builder.add(lend(record), hashOf(record.key))
  const { estimatedBytes } = builder
  return { summary: builder.finish(), bytes: file.bytes(), estimatedBytes }
}

export function openTable(
  table: Uint8Array,
  mapped: boolean,
  cache: BlockCache = new BlockCache(64 * 1024),
  number = fileNumber,
): TableReader {
  return TableReader.open(new MemoryReadFile('000007.sst', table, mapped), number, cache)
}

/** What `find` lends, owned; `undefined` if it finds nothing. */
export function find(reader: TableReader, key: Uint8Array, maxSequence = 2 ** 48 - 1): ModelRecord | undefined {
  const target = lend(put(''))
  // Inside a larger buffer, so that a lookup that ignores its bounds is caught.
  const source = Buffer.concat([bytes('??'), key, bytes('??')])
  const found = reader.find(hashOf(key), source, 2, 2 + key.length, maxSequence, target)
  return found ? owned(target) : undefined
}

export function scan(reader: TableReader, passage?: Passage): ModelRecord[] {
  const records: ModelRecord[] = []
  const cursor = reader.cursor(passage)
  for (cursor.first(); cursor.valid; cursor.next()) records.push(owned(cursor))
  return records
}

/** `toEqual` for the many: its own cost would be most of a test that compares a hundred thousand records. */
export function sameRecord(a: ModelRecord | undefined, b: ModelRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    compareBytes(a.key, b.key) === 0 &&
    Buffer.compare(a.value, b.value) === 0 &&
    a.sequence === b.sequence &&
    a.kind === b.kind &&
    a.expiresAt === b.expiresAt &&
    a.tag === b.tag &&
    a.writtenAt === b.writtenAt
  )
}
