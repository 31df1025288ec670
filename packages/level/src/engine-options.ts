import type { OpenOptions as EngineOptions } from '@caskade/engine'
import type { OpenOptions } from './level-options.js'

/**
 * Programs that use level often have many databases open, and each takes the space of a log segment: less than the engine's
 * default.
 */
const writeBufferSizeDefault = 16 << 20

/** Classic-level's names of settings in the engine's words. What is absent stays the engine's default. */
export function engineOptions(options: OpenOptions): EngineOptions {
  const { compression, cacheSize, writeBufferSize, blockSize, maxFileSize } = options
  const { durability, bloomBitsPerKey, mmap, onEvent } = options
  const given = {
    compression: compression === undefined ? undefined : compression ? 'lz4' : 'none',
    cacheBytes: cacheSize,
    memtableBytes: writeBufferSize ?? writeBufferSizeDefault,
    blockBytes: blockSize,
    tableBytes: maxFileSize,
    durability,
    bloomBitsPerKey,
    mmap,
    onEvent,
  } as const
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
