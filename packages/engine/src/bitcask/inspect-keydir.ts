import type { Storage } from '../io/storage.js'
import { hex, line } from '../lsm/inspect/inspect-text.js'
import { entryFile, entryFingerprint, entryOffset, Keydir } from './keydir/keydir.js'
import { KeydirSnapshotReader } from './keydir-snapshot.js'

/** What a keydir snapshot says of the data files, and where it has each key. Throws `CorruptionError` where it is not to be believed. */
export function* inspectKeydir(storage: Storage, path: string, number: number): Generator<string> {
  yield line(0, `keydir ${number}, ${storage.size(path)} bytes`)
  const reader = new KeydirSnapshotReader(storage, path, undefined)
  try {
    const { head } = reader
    if (head.number !== number) yield line(16, `DAMAGED: it is keydir ${head.number} under another's name`)
    const keys = head.sizes.counts.reduce((sum, count) => sum + count, 0)
    yield line(12, `salt ${hex(head.salt)}, sequence ${head.sequence}, ${keys} keys, checksum of the head ok`)
    const names = new Map<number, number>()
    for (const { index, number: data, salt, end, merged, liveBytes, summary, pinnedBytes } of head.files) {
      names.set(index, data)
      const kind = merged ? 'merged file' : 'log'
      const kept = pinnedBytes > 0 ? `, ${pinnedBytes} of deletions that are still needed` : ''
      yield line(
        0,
        `${kind} ${data}, salt ${hex(salt)}, records up to ${end}: ${liveBytes} bytes of ${summary.bytes} alive${kept}`,
      ).replace(/^ +0/, ' '.repeat(10))
    }
    const keydir = new Keydir()
    reader.restore(keydir)
    for (const slot of head.sizes.slots) {
      const entries = keydir.entries(slot)
      for (let at = 0; at < entries.length; at += 2) {
        const fingerprint = entryFingerprint(entries, at).toString(16).padStart(6, '0')
        const file = names.get(entryFile(entries, at)) ?? 'unknown'
        yield `${' '.repeat(10)}  slot ${slot} fingerprint ${fingerprint}: file ${file} at ${entryOffset(entries, at)}`
      }
    }
  } finally {
    reader.close()
  }
}
