import { viewOf } from '../../bytes.js'
import { crc32 } from '../../checksum.js'
import { CorruptionError, NewerFormatError } from '../../errors.js'
import type { ManifestEdit } from './manifest-state.js'

/**
 * The manifest: a log of edits to the set of live files. docs/engine/manifest-format.md has the picture.
 *
 *   header: magic u64 | version u32 | crc u32
 *   frame:  crc u32 | length u32 | an edit as JSON in UTF-8; the checksum is seeded with the frame's offset
 *
 * JSON, because edits come at the pace of flushes, are read by people in trouble, and grow fields over time.
 * CURRENT names the manifest in force: `MANIFEST-000001 <crc of the name, hex>\n`; it is replaced by rename.
 */
/** "CSKDMAN\n" */
const manifestMagic = 0x0a4e414d444b5343n
const manifestVersion = 1
export const manifestHeaderBytes = 16
const frameHeaderBytes = 8

export const currentName = 'CURRENT'
export const manifestName = (fileNumber: number) => `MANIFEST-${String(fileNumber).padStart(6, '0')}`

const checksum = (bytes: Uint8Array, start: number, end: number, seed: number) =>
  crc32(bytes, viewOf(bytes), start, end, seed)

export function encodeManifestHeader(): Uint8Array {
  const bytes = new Uint8Array(manifestHeaderBytes)
  const view = viewOf(bytes)
  view.setBigUint64(0, manifestMagic, true)
  view.setUint32(8, manifestVersion, true)
  view.setUint32(12, checksum(bytes, 0, 12, 0), true)
  return bytes
}

export function encodeEdit(edit: ManifestEdit, offset: number): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(edit))
  const bytes = new Uint8Array(frameHeaderBytes + payload.length)
  bytes.set(payload, frameHeaderBytes)
  const view = viewOf(bytes)
  view.setUint32(4, payload.length, true)
  view.setUint32(0, checksum(bytes, 4, bytes.length, offset), true)
  return bytes
}

export interface ManifestContents {
  edits: ManifestEdit[]
  /** End of the last whole edit. */
  end: number
}

/** Reads edits up to the first that is not whole; the caller judges whether what follows is a torn tail or damage. */
export function decodeManifest(bytes: Uint8Array, file: string): ManifestContents {
  if (bytes.length < manifestHeaderBytes) throw new CorruptionError(file, 0, `only ${bytes.length} bytes long`)
  const view = viewOf(bytes)
  if (view.getBigUint64(0, true) !== manifestMagic) throw new CorruptionError(file, 0, 'not a manifest (bad magic)')
  if (view.getUint32(12, true) !== checksum(bytes, 0, 12, 0))
    throw new CorruptionError(file, 0, 'manifest header checksum mismatch')
  const version = view.getUint32(8, true)
  if (version > manifestVersion) throw new NewerFormatError(file, version, manifestVersion)
  const edits: ManifestEdit[] = []
  let offset = manifestHeaderBytes
  while (offset + frameHeaderBytes <= bytes.length) {
    const end = offset + frameHeaderBytes + view.getUint32(offset + 4, true)
    if (end > bytes.length || view.getUint32(offset, true) !== checksum(bytes, offset + 4, end, offset)) break
    edits.push(JSON.parse(new TextDecoder().decode(bytes.subarray(offset + frameHeaderBytes, end))))
    offset = end
  }
  return { edits, end: offset }
}

export function encodeCurrent(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name)
  return new TextEncoder().encode(`${name} ${checksum(bytes, 0, bytes.length, 0).toString(16).padStart(8, '0')}\n`)
}

export function decodeCurrent(bytes: Uint8Array, file: string): string {
  const text = new TextDecoder().decode(bytes)
  const name = text.split(' ')[0] ?? ''
  if (!/^MANIFEST-\d{6,}$/.test(name) || text !== new TextDecoder().decode(encodeCurrent(name)))
    throw new CorruptionError(file, 0, 'does not name a manifest, or its checksum does not match')
  return name
}
