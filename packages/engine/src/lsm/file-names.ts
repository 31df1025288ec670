import { join } from 'node:path'

const padded = (fileNumber: number) => String(fileNumber).padStart(6, '0')

export const tablePath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.sst`)
export const segmentPath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.log`)
/** Of the Bitcask backend: a data file that a merge has written, and what a data file's records are. */
export const mergedPath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.data`)
export const hintPath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.hint`)
/** Of the Bitcask backend: the keydir as it was when the store was closed. */
export const keydirPath = (directory: string, fileNumber: number) => join(directory, `${padded(fileNumber)}.keydir`)
export const lockName = 'LOCK'
export const lockPath = (directory: string) => join(directory, lockName)
/** Where repair puts what it could not read whole. */
export const lostPath = (directory: string) => join(directory, 'lost')
/** Marks a checkpoint that is being written. */
export const unfinishedName = 'UNFINISHED'

export interface DataFile {
  kind: 'table' | 'segment' | 'data' | 'hint' | 'keydir' | 'manifest' | 'temporary'
  number: number
}

const kinds = { sst: 'table', log: 'segment', data: 'data', hint: 'hint', keydir: 'keydir' } as const

/** What a name in a store's directory is; `undefined` for names that are not the engine's, which it leaves alone. */
export function parseFileName(name: string): DataFile | undefined {
  const match = /^(\d{6,})\.(sst|log|data|hint|keydir)$|^MANIFEST-(\d{6,})$/.exec(name)
  if (match === null) return name === 'CURRENT.tmp' ? { kind: 'temporary', number: 0 } : undefined
  if (match[3] !== undefined) return { kind: 'manifest', number: Number(match[3]) }
  return { kind: kinds[match[2] as keyof typeof kinds], number: Number(match[1]) }
}
