import { join } from 'node:path'
import type { Storage } from '../../io/storage.js'
import { parseFileName } from '../file-names.js'

/** What in the directory has the name of a file of a store, listed or not, in the order of names. */
export function storeFiles(storage: Storage, directory: string) {
  return storage.list(directory).flatMap((name) => {
    const file = parseFileName(name)
    return file === undefined ? [] : [{ ...file, path: join(directory, name) }]
  })
}

/** Paths of manifests besides the one in force. */
export const otherManifests = (storage: Storage, directory: string, inForce: string): string[] =>
  storeFiles(storage, directory).flatMap(({ kind, path }) => (kind === 'manifest' && path !== inForce ? [path] : []))
