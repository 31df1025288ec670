import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import type { ReadFile, Storage } from '../io/storage.js'
import { nextTurn } from '../long-operations.js'
import type { KeydirRecord } from '../lsm/manifest/manifest-state.js'
import type { Keydir } from './keydir/keydir.js'
import {
  checksumBytes,
  decodeSnapshotHead,
  encodeSnapshotHead,
  type SnapshotHead,
  snapshotHeadBytes,
  snapshotHeaderBytes,
  tablesChecksum,
} from './keydir-snapshot-format.js'

/**
 * Writes the keydir, which must not change meanwhile; the event loop turns after every 4 MiB. It is not synced: the checksums tell what a power
 * cut has left of it.
 */
export async function writeKeydirSnapshot(
  storage: Storage,
  path: string,
  keydir: Keydir,
  head: Omit<SnapshotHead, 'sizes'>,
): Promise<void> {
  const file = storage.create(path)
  try {
    const sizes = keydir.tableSizes()
    file.append(encodeSnapshotHead({ ...head, sizes }))
    const checksum = new Uint8Array(checksumBytes)
    let run = 0
    for (const tables of keydir.tables(sizes)) {
      if (run > 0) await nextTurn()
      const bytes = new Uint8Array(tables.buffer, tables.byteOffset, tables.byteLength)
      viewOf(checksum).setUint32(0, tablesChecksum(bytes, head.salt, run++), true)
      file.append(bytes)
      file.append(checksum)
    }
  } finally {
    file.close()
  }
}

/** Reads one back; whoever opens it closes it. Whatever is not right throws `CorruptionError`. */
export class KeydirSnapshotReader {
  readonly head: SnapshotHead
  readonly #file: ReadFile
  #at: number

  /** `listed`: by the manifest; without it, any is taken. */
  constructor(storage: Storage, path: string, listed: KeydirRecord | undefined) {
    const file = storage.open(path)
    try {
      const header = new Uint8Array(Math.min(snapshotHeaderBytes, file.size))
      file.read(header, 0, header.length, 0)
      const bytes = new Uint8Array(snapshotHeadBytes(header, file.size, path))
      file.read(bytes, 0, bytes.length, 0)
      this.head = decodeSnapshotHead(bytes, file.size, path)
      const { number, salt } = this.head
      if (listed !== undefined && (number !== listed.number || salt !== listed.salt))
        throw new CorruptionError(path, 12, `it is keydir ${number} of another store, or of another time`)
      this.#file = file
      this.#at = bytes.length
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Fills an empty keydir; if it throws, the keydir is empty still. */
  restore(keydir: Keydir): void {
    const file = this.#file
    const checksum = new Uint8Array(checksumBytes)
    let run = 0
    keydir.restore(this.head.sizes, (tables) => {
      const bytes = new Uint8Array(tables.buffer, tables.byteOffset, tables.byteLength)
      file.read(bytes, 0, bytes.length, this.#at)
      file.read(checksum, 0, checksumBytes, this.#at + bytes.length)
      if (viewOf(checksum).getUint32(0, true) !== tablesChecksum(bytes, this.head.salt, run++))
        throw new CorruptionError(file.path, this.#at, 'its tables do not match their checksum')
      this.#at += bytes.length + checksumBytes
    })
  }

  close(): void {
    this.#file.close()
  }
}
