import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConvertError } from './convert-error.js'

/** What the converter uses of classic-level, in versions 1 to 3 alike. */
export interface ClassicLevelLike {
  open(options: { createIfMissing: boolean }): Promise<void>
  close(): Promise<void>
  iterator(options: object): ClassicIterator
}

export interface ClassicIterator {
  nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
  close(): Promise<void>
}

type ClassicLevelClass = new (location: string, options: object) => ClassicLevelLike

/**
 * Classic-level as the project in `directory` has it: as its own dependency or that of `level`; else the one beside this
 * package.
 */
export async function resolveClassicLevel(directory: string): Promise<ClassicLevelClass> {
  const project = createRequire(join(directory, 'package.json'))
  const ways = [
    () => project.resolve('classic-level'),
    () => createRequire(project.resolve('level')).resolve('classic-level'),
    () => createRequire(import.meta.url).resolve('classic-level'),
  ]
  for (const way of ways) {
    let path: string
    try {
      path = way()
    } catch {
      continue
    }
    const module = await import(pathToFileURL(path).href)
    return module.ClassicLevel ?? module.default.ClassicLevel
  }
  throw new ConvertError(
    `reading a LevelDB directory takes classic-level, which is not installed in ${directory}: npm install classic-level, or run this where your project is`,
  )
}
