import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore, type Store } from '@caskade/engine'
import { TemporaryDirectory } from '../temporary-directory.js'
import { contentOf, goldenClock } from './golden-content.js'

/**
 * Writes test/fixtures/lsm-v1 and bitcask-v1 anew: `npm run build && node test/dist/golden/golden-main.js [lsm|bitcask]`. Only while no release
 * has the format: once one has, these directories never change, for a release that cannot read them loses data.
 */
const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const key = (i: number) => bytes(`key ${String(i).padStart(3, '0')}`)
const value = (i: number, round: string) => bytes(`${round} ${i} `.repeat(1 + (i % 7)))

const wanted = process.argv[2]
if (wanted !== 'bitcask') {
  rmSync(join(fixtures, 'lsm-v1'), { recursive: true, force: true })
  for (const compression of ['lz4', 'none'] as const) await writeLsm(compression)
}
if (wanted !== 'lsm') {
  rmSync(join(fixtures, 'bitcask-v1'), { recursive: true, force: true })
  await writeBitcask()
}

/** As a process that was killed leaves it: the log has no end. */
function keep(store: Store, directory: string, golden: string): void {
  const target = join(fixtures, golden)
  mkdirSync(target, { recursive: true })
  cpSync(directory, target, { recursive: true })
  writeFileSync(join(target, 'LOCK'), '')
  const lines = contentOf(store).map((record) => `${JSON.stringify(record)}\n`)
  writeFileSync(`${target}.ndjson`, lines.join(''))
}

async function writeLsm(compression: 'lz4' | 'none'): Promise<void> {
  using temporary = new TemporaryDirectory()
  const directory = join(temporary.path, 'store')
  const store = await openStore(directory, {
    compression,
    memtableBytes: 8 << 10,
    tableBytes: 4 << 10,
    blockBytes: 512,
    clock: () => goldenClock,
  })
  const put = (i: number, round: string, more = {}) => store.put(key(i), value(i, round), more)
  for (let i = 0; i < 120; i++) await put(i, 'first', { tag: i % 16, writtenAt: i % 3 === 0 ? 0 : goldenClock - i })
  await store.compactRange()
  for (let i = 0; i < 120; i += 4) await put(i, 'expires', { expiresAt: goldenClock + (i % 8 === 0 ? 1_000 : -1_000) })
  for (let i = 2; i < 120; i += 10) await store.delete(key(i))
  await store.deleteRange({ gte: bytes('key 030'), lt: bytes('key 040') })
  await store.flush()
  await store.ingest(
    Array.from({ length: 20 }, (_, i) => ({ key: bytes(`ingested ${i + 10}`), value: bytes(`value ${i}`), tag: 1 })),
  )
  await put(33, 'in the log')
  await store.write([
    { type: 'put', key: bytes('\0\xff'), value: bytes('') },
    { type: 'delete', key: bytes('key 001') },
  ])
  await store.deleteRange({ gte: bytes('key 110') })
  await put(200, 'last')
  keep(store, directory, `lsm-v1/${compression}`)
  await store.close()
}

async function writeBitcask(): Promise<void> {
  using temporary = new TemporaryDirectory()
  const directory = join(temporary.path, 'store')
  // Small files that nothing merges by itself.
  const store = await openStore(directory, {
    store: 'bitcask',
    dataFileBytes: 16 << 10,
    changesBytes: 1 << 20,
    clock: () => goldenClock,
  })
  const put = (i: number, round: string, more = {}) => store.put(key(i), value(i, round), more)
  for (let i = 0; i < 120; i++) await put(i, 'first', { tag: i % 16, writtenAt: i % 3 === 0 ? 0 : goldenClock - i })
  await store.flush()
  for (let i = 0; i < 120; i += 4) await put(i, 'expires', { expiresAt: goldenClock + (i % 8 === 0 ? 1_000 : -1_000) })
  for (let i = 2; i < 120; i += 10) await store.delete(key(i))
  await store.deleteRange({ gte: bytes('key 030'), lt: bytes('key 040') })
  await store.flush()
  await store.close()
  const merging = await openStore(directory, { store: 'bitcask', dataFileBytes: 16 << 10, clock: () => goldenClock })
  await merging.compactRange()
  for (let i = 1; i < 120; i += 20) await merging.put(key(i), value(i, 'settled'))
  await merging.delete(key(21))
  await merging.flush()
  await merging.put(key(33), value(33, 'in the log'))
  await merging.write([
    { type: 'put', key: bytes('\0\xff'), value: bytes('') },
    { type: 'delete', key: key(1) },
  ])
  await merging.put(key(200), value(200, 'last'))
  keep(merging, directory, 'bitcask-v1/directory')
  await merging.close()
}
