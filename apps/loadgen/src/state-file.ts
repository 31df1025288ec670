import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { decodeLoadgenState, encodeLoadgenState, type LoadgenState } from './loadgen-state-format.js'

/** `undefined` when there is no such file. Throws when there is one that cannot be used. */
export function readStateFile(path: string): LoadgenState | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return decodeLoadgenState(bytes)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}

/** The old file stays until the new one is whole. */
export function writeStateFile(path: string, state: LoadgenState): void {
  const fresh = `${path}.new`
  writeFileSync(fresh, encodeLoadgenState(state))
  renameSync(fresh, path)
}
