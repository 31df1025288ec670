import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { BitcaskOptions } from '../bitcask/bitcask-store.js'
import type { LsmOptions } from '../lsm/lsm-store.js'
import { MemoryStore } from '../memory/memory-store.js'
import { openStore } from '../open.js'
import type { OpenOptions } from '../store.js'
import { inKeyOrder } from './in-key-order.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { InlineStoreDisk } from './inline-store.js'
import { PowerCutStorage } from './power-cut-storage.js'
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

function bitcaskInTemporaryDirectory(options: OpenOptions): () => StorePlace {
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'caskade-store-'))
    return {
      persistent: true,
      open: async ({ clock }) =>
        inKeyOrder(
          await openStore(directory, {
            ...options,
            store: 'bitcask',
            dataFileBytes: memtableBytes,
            changesBytes,
            clock,
          }),
        ),
      dispose: () => rmSync(directory, { recursive: true }),
    }
  }
}

function bitcaskOnInlineDisk(mapped: boolean, options: Partial<BitcaskOptions> = {}): () => StorePlace {
  return () => {
    const storage = new PowerCutStorage({ mapped })
    return {
      persistent: true,
      open: async ({ clock }) =>
        inKeyOrder(await openInlineBitcask(storage, { ...options, clock, dataFileBytes: memtableBytes, changesBytes })),
      dispose: () => expect(storage.openFiles).toBe(0),
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
storeSuite('Bitcask, mapped', bitcaskInTemporaryDirectory({}))
storeSuite('Bitcask, not mapped', bitcaskInTemporaryDirectory({ mmap: 'off' }))
storeSuite('Bitcask, jobs in place, mapped, sync', bitcaskOnInlineDisk(true, { durability: 'sync' }))
storeSuite('Bitcask, jobs in place, not mapped', bitcaskOnInlineDisk(false))
