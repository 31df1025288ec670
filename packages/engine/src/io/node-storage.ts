import fs from 'node:fs'
import { dirname } from 'node:path'
import { lockFile, lockTakers } from './file-lock.js'
import { installedMmap, type MmapModule } from './load-mmap.js'
import { NodeAppendFile } from './node-append-file.js'
import { openReadFile } from './node-read-file.js'
import { createSegmentFile, openSegmentFile, resumeSegmentFile } from './node-segment-file.js'
import type { Storage } from './storage.js'
import { attempt, storageError } from './storage-error.js'

/**
 * Node's file system. `mmap: 'auto'` maps files where FFI can be loaded; `off`, or without FFI, they are read and written
 * by calls, with the same results: slower, and with segments and opened segments held in memory.
 */
export function openNodeStorage(options: { mmap?: 'auto' | 'off' } = {}): Storage {
  return nodeStorage(options.mmap === 'off' ? undefined : installedMmap, installedMmap)
}

/** `map`: what to map files with; `native`: what to lock and allocate with. Apart from each other for tests. */
export function nodeStorage(map: MmapModule | undefined, native: MmapModule | undefined): Storage {
  const takers = lockTakers(native)
  const means = { map, fallocate: native }
  return {
    mapped: map !== undefined,
    makeDirectory: (path) => attempt('create', path, () => makeDirectories(path)),
    removeDirectory: (path) => attempt('remove', path, () => removeEmptyDirectory(path)),
    list: (directory) => attempt('list', directory, () => fs.readdirSync(directory).sort()),
    size: (path) => attempt('examine', path, () => fs.statSync(path, { throwIfNoEntry: false })?.size),
    remove: (path) => attempt('remove', path, () => removeIfPresent(path)),
    removeLater: (path) => removeIfPresentLater(path),
    rename: (from, to) => attempt('rename', from, () => fs.renameSync(from, to)),
    link: (from, to) => attempt('link', from, () => linkIfPossible(from, to)),
    syncFile: (path) => attempt('sync', path, () => syncIfPresent(path)),
    syncDirectory: (directory) => attempt('sync', directory, () => syncDirectory(directory)),
    lock: (path, mode) => lockFile(path, mode, takers),
    create: (path) => NodeAppendFile.create(path),
    append: (path, length) => NodeAppendFile.append(path, length),
    open: (path, mapped = true) => openReadFile(path, mapped ? map : undefined),
    createSegment: (path, capacity, allocated) => createSegmentFile(path, capacity, allocated, means),
    resumeSegment: (path, allocated) => resumeSegmentFile(path, allocated, means),
    openSegment: (path) => openSegmentFile(path, means),
  }
}

function removeIfPresent(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function removeIfPresentLater(path: string): Promise<void> {
  try {
    await fs.promises.unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storageError('remove', path, error)
  }
}

function removeEmptyDirectory(path: string): void {
  try {
    fs.rmdirSync(path)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** EMLINK: the file has as many names as it can have. EPERM: a file system without links, or a kernel that forbids this one. */
const cannotLink = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

function linkIfPossible(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (cannotLink.includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

function syncIfPresent(path: string): void {
  let fd: number
  try {
    fd = fs.openSync(path, fs.constants.O_RDWR)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    fs.fdatasyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, fs.constants.O_RDONLY)
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Not `recursive: true`: where a parent exists but takes no directories (/proc), Node's own loop never ends. */
function makeDirectories(path: string): boolean {
  const isThere = () => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  if (isThere()) return false
  const parent = dirname(path)
  if (parent !== path) makeDirectories(parent)
  try {
    fs.mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have been faster.
    if (!isThere()) throw error
  }
  syncDirectory(parent)
  return true
}
