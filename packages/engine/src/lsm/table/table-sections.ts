import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { ReadFile } from '../../io/storage.js'
import { filterLineBytes } from './bloom-filter.js'
import { PartChecksum } from './checksum.js'
import { decodeIndex, type IndexColumns } from './index-section.js'
import {
  blocksStart,
  checkHeader,
  checksumBytes,
  decodeFooter,
  decodeProperties,
  filterAlignment,
  footerBytes,
  headerBytes,
  partDictionary,
  partFilter,
  partIndex,
  partProperties,
  type Section,
  type TableProperties,
} from './table-format.js'

const noBytes = new Uint8Array(0)

/** All of a table but its data blocks. Mapped files lend `dictionary`, `filter` and the index's bytes; they are good until `close`. */
export interface TableSections {
  properties: TableProperties
  /** Empty: values are not compressed, or only against themselves. */
  dictionary: Uint8Array
  filter: Uint8Array
  filterOffset: number
  index: IndexColumns
}

/** Reads and verifies them, outside in; every length is checked against the file's size before memory is taken for it. */
export function readSections(file: ReadFile, fileNumber: number): TableSections {
  if (file.size < headerBytes + footerBytes) {
    throw new CorruptionError(file.path, 0, `${file.size} bytes are too few for a table: was it cut off?`)
  }
  checkHeader(readPart(file, 0, headerBytes), fileNumber, file.path)
  const footerPart = readPart(file, file.size - footerBytes, footerBytes)
  const footer = decodeFooter(footerPart, fileNumber, file.size, file.path)
  const checksum = new PartChecksum(fileNumber)
  const properties = decodeProperties(
    readSection(file, footer.properties, partProperties, checksum, 'properties'),
    file.size,
  )
  if (properties === undefined || blocksStart(properties.dictionaryBytes) > footer.filter.offset) {
    throw new CorruptionError(file.path, footer.properties.offset, 'the properties are malformed')
  }
  const filter = readSection(file, footer.filter, partFilter, checksum, 'filter')
  if (filter.length % filterLineBytes !== 0 || (filter.length === 0) !== (properties.filterProbes === 0)) {
    throw new CorruptionError(file.path, footer.filter.offset, 'the filter has an impossible size')
  }
  const index = decodeIndex(
    readSection(file, footer.index, partIndex, checksum, 'index'),
    blocksStart(properties.dictionaryBytes),
    checksumBytes,
  )
  const blocks = index?.flags.length ?? 0
  const padding = footer.filter.offset - (index?.offsets[blocks] ?? 0)
  if (
    index === undefined ||
    blocks === 0 ||
    blocks !== properties.blocks ||
    padding < 0 ||
    padding >= filterAlignment
  ) {
    throw new CorruptionError(file.path, footer.index.offset, 'the index does not fit the data blocks')
  }
  const { dictionaryBytes } = properties
  const dictionary =
    dictionaryBytes === 0
      ? noBytes
      : readSection(file, { offset: headerBytes, length: dictionaryBytes }, partDictionary, checksum, 'dictionary')
  return { properties, dictionary, filter, filterOffset: footer.filter.offset, index }
}

/** Borrowed from the mapping, or in new memory. */
export function readPart(file: ReadFile, offset: number, length: number): Uint8Array {
  if (file.mapping !== undefined) return file.mapping.subarray(offset, offset + length)
  const bytes = new Uint8Array(length)
  file.read(bytes, 0, length, offset)
  return bytes
}

export function readSection(
  file: ReadFile,
  section: Section,
  kind: number,
  checksum: PartChecksum,
  name: string,
): Uint8Array {
  const part = readPart(file, section.offset, section.length + checksumBytes)
  const bytes = part.subarray(0, section.length)
  if (viewOf(part).getUint32(section.length, true) !== checksum.of(kind, section.offset, bytes)) {
    throw new CorruptionError(file.path, section.offset, `the ${name} does not match its checksum`)
  }
  return bytes
}
