import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { bitcaskDefaults } from './bitcask/bitcask-store.js'
import { repairBitcask } from './bitcask/repair/repair-run.js'
import { CaskadeError } from './errors.js'
import { openNodeStorage } from './io/node-storage.js'
import type { Storage } from './io/storage.js'
import { lockName, lockPath, lostPath, parseFileName, unfinishedName } from './lsm/file-names.js'
import { lsmDefaults } from './lsm/lsm-store.js'
import { currentName } from './lsm/manifest/manifest-format.js'
import { salvageManifest } from './lsm/repair/manifest-salvage.js'
import { repairDirectory } from './lsm/repair/repair-run.js'

export interface RepairReport {
  /** Every damaged place and missing file. Empty: nothing was wrong, and nothing was changed. */
  damage: { file: string; offset: number; message: string }[]
  /** Where the damaged files are now: in `lost/`, for whoever can read more out of them. */
  lost: string[]
  /** Records copied out of files that were written anew. */
  recordsSalvaged: number
  /** The manifest was lost: records that had been deleted may be back. */
  manifestRebuilt: boolean
}

/**
 * Makes a damaged store one that opens again: keeps every record whose checksum holds, moves damaged files to `lost/`, and says
 * what was wrong. Nothing is written over. No process may have the store open (`LockedError`); a store of a newer version is refused
 * (`NewerFormatError`). Reads every file; needs room for what it writes anew.
 */
export async function repairStore(directory: string, options: { mmap?: 'auto' | 'off' } = {}): Promise<RepairReport> {
  const storage = openNodeStorage(options)
  const salt = () => randomBytes(4).readUInt32LE()
  const path = existing(storage, resolve(directory))
  if (isBitcask(storage, path))
    return repairBitcask(storage, path, { dataFileBytes: bitcaskDefaults.dataFileBytes, salt })
  const { tables, tableBytes } = lsmDefaults
  return repairDirectory(storage, path, { tables, tableBytes, salt })
}

/** A store that never settled a file has only logs. If its manifest is lost too, they are as good as an LSM's. */
function isBitcask(storage: Storage, directory: string): boolean {
  const own = storage.list(directory).some((name) => /\.(hint|data|keydir)$/.test(name))
  return own || salvageManifest(storage, directory).state.bitcask !== undefined
}

/**
 * Removes a store: its own files only, and the directory if nothing else is in it. Refuses while a process has it open. A crash in
 * the middle leaves a directory that no open takes for a store.
 */
export async function destroyStore(directory: string): Promise<void> {
  const storage = openNodeStorage({ mmap: 'off' })
  destroyDirectory(storage, existing(storage, resolve(directory)))
}

export function destroyDirectory(storage: Storage, directory: string): void {
  const lock = storage.lock(lockPath(directory), 'exclusive')
  try {
    // First what makes it a store: data files alone are refused by every open.
    storage.remove(join(directory, currentName))
    storage.syncDirectory(directory)
    const lost = lostPath(directory)
    for (const path of storage.list(directory).includes('lost') ? [lost, directory] : [directory]) {
      for (const name of storage.list(path)) {
        const file = parseFileName(name.replace(path === lost ? /\.\d+$/ : /$^/, ''))
        if (file !== undefined || name === unfinishedName) storage.remove(join(path, name))
      }
      if (path === lost) storage.removeDirectory(lost)
    }
    storage.remove(join(directory, lockName))
  } finally {
    lock.release()
  }
  storage.removeDirectory(directory)
}

/** Locking would create it. */
function existing(storage: Storage, directory: string): string {
  try {
    storage.list(directory)
    return directory
  } catch (error) {
    throw new CaskadeError('CASKADE_IO', `there is no directory ${directory}`, { cause: error })
  }
}
