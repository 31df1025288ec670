import { basename, join } from 'node:path'
import type { Storage } from '../../io/storage.js'
import { runCopy } from '../copy-run.js'
import { lostPath } from '../file-names.js'

/** Moves damaged files to `lost/`, and returns where they are now. A second name first, so that nothing is ever without one. */
export function moveToLost(storage: Storage, directory: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return []
  const lost = lostPath(directory)
  storage.makeDirectory(lost)
  const moved = paths.map((path) => {
    let to = join(lost, basename(path))
    for (let n = 1; storage.size(to) !== undefined; n++) to = join(lost, `${basename(path)}.${n}`)
    if (!storage.link(path, to)) runCopy(storage, { type: 'copy', from: path, to, bytes: storage.size(path)! })
    return to
  })
  storage.syncDirectory(lost)
  for (const path of paths) storage.remove(path)
  return moved
}
