import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LsmOptions } from '../lsm/lsm-store.js'
import { MemoryStore } from '../memory/memory-store.js'
import { openStore } from '../open.js'
import type { OpenOptions } from '../store.js'
import { InlineStoreDisk } from './inline-store.js'
import { storeSuite } from './store-suite.js'
import type { StorePlace } from './suite/suite-store.js'

const memtableBytes = 64 << 10
const changesBytes = 2 << 20

function inTemporaryDirectory(options: OpenOptions): () => StorePlace {
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'caskade-store-'))
    return {
      persistent: true,
      open: ({ clock }) => openStore(directory, { ...options, memtableBytes, changesBytes, clock }),
      dispose: () => rmSync(directory, { recursive: true }),
    }
  }
}

function onInlineDisk(mapped: boolean, options: Partial<LsmOptions> = {}): () => StorePlace {
  return () => {
    const disk = new InlineStoreDisk({ mapped })
    return {
      persistent: true,
      open: ({ clock }) => disk.open({ ...options, clock, memtableBytes, changesBytes }),
      dispose: () => disk.expectNothingOpen(),
    }
  }
}

storeSuite('the model in memory', () => ({
  persistent: false,
  open: async (options) => new MemoryStore({ ...options, changesBytes }),
  dispose: () => {},
}))
storeSuite('LSM, mapped', inTemporaryDirectory({}))
storeSuite('LSM, not mapped', inTemporaryDirectory({ mmap: 'off' }))
storeSuite('LSM, jobs in place, mapped, sync', onInlineDisk(true, { durability: 'sync' }))
storeSuite('LSM, jobs in place, not mapped', onInlineDisk(false))
