import { JsonScanner, type JsonSlice, textOf } from '../json/json-scanner.js'

/** A record of an API answer, its value as the JSON text that came. */
export interface RecordText {
  key: string
  value: string
  /** Text of a string value. */
  text: string | undefined
  encoding: string | undefined
  version: number
  expiresAt: number | undefined
}

/** Reads one record without parsing its value: numbers of any size stay what they are. */
export function recordText(bytes: Buffer, slice: JsonSlice): RecordText {
  const scanner = new JsonScanner(bytes, slice.start, slice.end)
  const record: RecordText = {
    key: '',
    value: '',
    text: undefined,
    encoding: undefined,
    version: 0,
    expiresAt: undefined,
  }
  scanner.object((name) => {
    const found = scanner.value()
    const raw = bytes.toString('utf8', found.start, found.end)
    if (name === 'key') record.key = found.kind === 'other' ? raw : textOf(bytes, found)
    else if (name === 'value') {
      record.value = raw
      record.text = found.kind === 'other' ? undefined : textOf(bytes, found)
    } else if (name === 'encoding') record.encoding = textOf(bytes, found)
    else if (name === 'version') record.version = Number(raw)
    else if (name === 'expiresAt') record.expiresAt = Number(raw)
  })
  return record
}

export interface PageText {
  items: JsonSlice[]
  cursor: string | undefined
}

export function pageText(bytes: Buffer): PageText {
  const scanner = new JsonScanner(bytes)
  const page: PageText = { items: [], cursor: undefined }
  scanner.object((name) => {
    if (name === 'items') scanner.array(() => page.items.push(scanner.value()))
    else if (name === 'cursor') page.cursor = scanner.string()
    else scanner.value()
  })
  return page
}
