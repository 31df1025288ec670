export type MmapModule = typeof import('@caskade/mmap')

/** `@caskade/mmap` where it is installed and works here, else `undefined`. Loaded once per thread. */
export const installedMmap: MmapModule | undefined = await load()

async function load(): Promise<MmapModule | undefined> {
  try {
    const module = await import('@caskade/mmap')
    return module.available() ? module : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
