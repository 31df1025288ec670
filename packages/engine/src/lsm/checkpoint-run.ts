import { join } from 'node:path'
import { CaskadeError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import { nextTurn } from '../long-operations.js'
import {
  hintPath,
  lockName,
  lockPath,
  mergedPath,
  parseFileName,
  segmentPath,
  tablePath,
  unfinishedName,
} from './file-names.js'
import { currentName } from './manifest/manifest-format.js'
import { ManifestLog } from './manifest/manifest-log.js'
import type { ManifestState } from './manifest/manifest-state.js'
import type { CopyJob } from './worker/job.js'

/** Links made before the event loop turns: one takes some 10 µs. */
const linksPerTurn = 64

const note =
  'A checkpoint is being written here. If no process is at it any more, it was never finished: remove this directory.\n'

/**
 * A second store that shares the files of this one: links where the file system has them, copies elsewhere, and a manifest of
 * its own. The files of `state` must neither change nor go away meanwhile, and must be durable when `synced` resolves.
 *
 * Crash windows: until the very end a file of its own (`UNFINISHED`, durable before the first link) makes every open refuse
 * the directory; the next checkpoint into it begins anew. After an error or an abort nothing of it is left.
 */
export async function writeCheckpoint(
  storage: Storage,
  source: string,
  target: string,
  state: ManifestState,
  synced: Promise<void>,
  copy: (job: CopyJob) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // Awaited below; a failure before that is not the one to tell of.
  synced.catch(() => {})
  const isNew = storage.makeDirectory(target)
  checkEmpty(storage, target)
  const lock = storage.lock(lockPath(target), 'exclusive')
  let begun = false
  try {
    if (storage.list(target).includes(unfinishedName)) removeRemains(storage, target)
    checkEmpty(storage, target)
    begun = true
    writeNote(storage, target)
    const copies = await linkFiles(storage, source, target, state, signal)
    for (const job of copies) {
      signal.throwIfAborted()
      await copy(job)
    }
    await synced
    signal.throwIfAborted()
    storage.syncDirectory(target)
    ManifestLog.begin(storage, target, state).close()
    storage.remove(join(target, unfinishedName))
    storage.syncDirectory(target)
    lock.release()
  } catch (error) {
    try {
      if (begun) removeRemains(storage, target)
      storage.remove(lockPath(target))
      if (isNew) storage.removeDirectory(target)
    } finally {
      lock.release()
    }
    throw error
  }
}

function checkEmpty(storage: Storage, target: string): void {
  const names = storage.list(target).filter((name) => name !== lockName)
  if (names.length > 0 && !names.includes(unfinishedName))
    throw new CaskadeError(
      'CASKADE_IO',
      `cannot write a checkpoint to ${target}: it holds ${names[0]}; name a directory that is empty or not there`,
    )
}

/** Of this checkpoint, or of one that died here; the note goes last. */
function removeRemains(storage: Storage, target: string): void {
  storage.remove(join(target, currentName))
  for (const name of storage.list(target)) {
    if (parseFileName(name) !== undefined) storage.remove(join(target, name))
  }
  storage.syncDirectory(target)
  storage.remove(join(target, unfinishedName))
  storage.syncDirectory(target)
}

function writeNote(storage: Storage, target: string): void {
  const file = storage.create(join(target, unfinishedName))
  try {
    file.append(new TextEncoder().encode(note))
    file.sync()
  } finally {
    file.close()
  }
  storage.syncDirectory(target)
}

/** Returns what could not be linked. */
async function linkFiles(
  storage: Storage,
  source: string,
  target: string,
  state: ManifestState,
  signal: AbortSignal,
): Promise<CopyJob[]> {
  const files = [
    ...[...state.tables.values()].map(({ number, fileBytes }) => ({ path: tablePath, number, bytes: fileBytes })),
    ...[...state.segments.values()].map(({ number, end, merged }) => ({
      path: merged ? mergedPath : segmentPath,
      number,
      bytes: end!,
    })),
  ]
  for (const { number } of state.bitcask === undefined ? [] : state.segments.values()) {
    const bytes = storage.size(hintPath(source, number))
    if (bytes !== undefined) files.push({ path: hintPath, number, bytes })
  }
  const copies: CopyJob[] = []
  for (const [i, { path, number, bytes }] of files.entries()) {
    if (i % linksPerTurn === linksPerTurn - 1) await nextTurn()
    signal.throwIfAborted()
    const from = path(source, number)
    const to = path(target, number)
    if (!storage.link(from, to)) copies.push({ type: 'copy', from, to, bytes })
  }
  return copies
}

/** Where a directory that is being opened turns out to be a checkpoint without an end. */
export function refuseUnfinished(storage: Storage, directory: string): void {
  if (storage.size(join(directory, unfinishedName)) === undefined) return
  throw new CaskadeError(
    'CASKADE_IO',
    `${directory} is a checkpoint that was never finished: remove it, and take another from the store in use`,
  )
}
