import type { ReadFile, Storage } from './storage.js'

/** All bytes of a file, in memory of their own. */
export function readWhole(storage: Storage, path: string): Uint8Array {
  const file = storage.open(path)
  try {
    return contentOf(file)
  } finally {
    file.close()
  }
}

export function contentOf(file: ReadFile): Uint8Array {
  const bytes = new Uint8Array(file.size)
  file.read(bytes, 0, bytes.length, 0)
  return bytes
}
