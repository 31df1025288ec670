import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that the files of a directory occupy, which is less than their length where they are sparse. */
export function diskBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0)
}
