import { join } from 'node:path'

const padded = (fileNumber: number) => String(fileNumber).padStart(6, '0')

export const tablePath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.sst`)
export const segmentPath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.log`)
export const lockName = 'LOCK'
export const lockPath = (directory: string) => join(directory, lockName)
/** Where repair puts what it could not read whole. */
export const lostPath = (directory: string) => join(directory, 'lost')
/** Marks a checkpoint that is being written. */
export const unfinishedName = 'UNFINISHED'

export interface DataFile {
  kind: 'table' | 'segment' | 'manifest' | 'temporary'
  number: number
}

/** What a name in a store's directory is; `undefined` for names that are not the engine's, which it leaves alone. */
export function parseFileName(name: string): DataFile | undefined {
  const match = /^(\d{6,})\.(sst|log)$|^MANIFEST-(\d{6,})$/.exec(name)
  if (match === null) return name === 'CURRENT.tmp' ? { kind: 'temporary', number: 0 } : undefined
  if (match[3] !== undefined) return { kind: 'manifest', number: Number(match[3]) }
  return { kind: match[2] === 'sst' ? 'table' : 'segment', number: Number(match[1]) }
}
