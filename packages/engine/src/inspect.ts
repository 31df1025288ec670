import { basename, join, resolve } from 'node:path'
import { inspectHint } from './bitcask/inspect-hint.js'
import { inspectKeydir } from './bitcask/inspect-keydir.js'
import { CaskadeError } from './errors.js'
import { openNodeStorage } from './io/node-storage.js'
import { readWhole } from './io/read-whole.js'
import type { Storage } from './io/storage.js'
import { parseFileName } from './lsm/file-names.js'
import { inspectSegment } from './lsm/inspect/inspect-segment.js'
import { inspectTable } from './lsm/inspect/inspect-table.js'
import { line } from './lsm/inspect/inspect-text.js'
import { currentName, decodeCurrent, decodeManifest } from './lsm/manifest/manifest-format.js'

/**
 * Any file of a store as lines of text for people: offsets, fields, records with their bytes escaped, and what does not match its
 * checksum, marked `DAMAGED`. Damaged files are told as far as they can be read; the file is found out by its name. Changes nothing.
 */
export function* inspectFile(path: string, options: { mmap?: 'auto' | 'off' } = {}): Generator<string> {
  const storage = openNodeStorage(options)
  const whole = resolve(path)
  // `lost/000012.sst.1` is a table still.
  const name = basename(whole).replace(/^(\d+\.(?:sst|log|data|hint|keydir))\.\d+$/, '$1')
  const file = parseFileName(name)
  try {
    if (file?.kind === 'segment' || file?.kind === 'data')
      yield* inspectSegment(storage, whole, file.number, file.kind === 'data')
    else if (file?.kind === 'table') yield* inspectTable(storage, whole, file.number)
    else if (file?.kind === 'hint') yield* inspectHint(readWhole(storage, whole), whole, file.number)
    else if (file?.kind === 'keydir') yield* inspectKeydir(storage, whole, file.number)
    else if (file?.kind === 'manifest') yield* inspectManifest(storage, whole)
    else if (name === currentName)
      yield line(0, `names ${decodeCurrent(readWhole(storage, whole), whole)}, checksum ok`)
    else
      throw new TypeError(
        `${join(path)} is no file of a store by its name: one is NNNNNN.log, .sst, .data, .hint or .keydir, MANIFEST-NNNNNN or CURRENT`,
      )
  } catch (error) {
    if (!(error instanceof CaskadeError && error.code === 'CASKADE_CORRUPTION')) throw error
    yield line('offset' in error ? Number(error.offset) : 0, `DAMAGED: ${error.message}`)
  }
}

function* inspectManifest(storage: Storage, path: string): Generator<string> {
  const bytes = readWhole(storage, path)
  yield line(0, `manifest, ${bytes.length} bytes`)
  const { edits, end } = decodeManifest(bytes, path)
  for (const edit of edits) yield line(0, `edit ${JSON.stringify(edit)}`).replace(/^ +0/, ' '.repeat(10))
  if (end < bytes.length)
    yield line(end, `DAMAGED: ${bytes.length - end} bytes that are no whole edit: torn by a crash, or damaged`)
}
