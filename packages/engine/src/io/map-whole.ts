import type { Mapping } from '@caskade/mmap'
import type { Descriptor } from './descriptor.js'
import type { MmapModule } from './load-mmap.js'

/**
 * The whole file mapped, or `undefined` where that cannot be: it is empty, its file system does not map files, or the
 * process has no mapping or address left. The caller then does without, file by file.
 */
export function mapWhole(
  mmap: MmapModule,
  file: Descriptor,
  size: number,
  access: 'read' | 'write',
): Mapping | undefined {
  if (size === 0) return undefined
  try {
    return mmap.map(file.fd, { access, length: size })
  } catch (error) {
    if (error instanceof mmap.MmapError) return undefined
    throw error
  }
}
