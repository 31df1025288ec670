import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '@caskade/engine'
import { TemporaryDirectory } from '../temporary-directory.js'
import { contentOf, goldenClock } from './golden-content.js'

/**
 * Writes test/fixtures/lsm-v1 anew: `npm run build && node test/dist/golden/golden-main.js`. Only while no release has the format: once one
 * has, these directories never change, for a release that cannot read them loses data.
 */
const fixtures = fileURLToPath(new URL('../../fixtures/lsm-v1/', import.meta.url))
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

rmSync(fixtures, { recursive: true, force: true })
for (const compression of ['lz4', 'none'] as const) await writeGolden(compression)

async function writeGolden(compression: 'lz4' | 'none'): Promise<void> {
  using temporary = new TemporaryDirectory()
  const directory = join(temporary.path, 'store')
  const store = await openStore(directory, {
    compression,
    memtableBytes: 8 << 10,
    tableBytes: 4 << 10,
    blockBytes: 512,
    clock: () => goldenClock,
  })
  const put = (i: number, round: string, more = {}) =>
    store.put(bytes(`key ${String(i).padStart(3, '0')}`), bytes(`${round} ${i} `.repeat(1 + (i % 7))), more)
  for (let i = 0; i < 120; i++) await put(i, 'first', { tag: i % 16, writtenAt: i % 3 === 0 ? 0 : goldenClock - i })
  await store.compactRange()
  for (let i = 0; i < 120; i += 4) await put(i, 'expires', { expiresAt: goldenClock + (i % 8 === 0 ? 1_000 : -1_000) })
  for (let i = 2; i < 120; i += 10) await store.delete(bytes(`key ${String(i).padStart(3, '0')}`))
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
  // As a process that was killed leaves it: the log has no end.
  const target = join(fixtures, compression)
  mkdirSync(target, { recursive: true })
  cpSync(directory, target, { recursive: true })
  writeFileSync(join(target, 'LOCK'), '')
  const lines = contentOf(store).map((record) => `${JSON.stringify(record)}\n`)
  writeFileSync(join(fixtures, `${compression}.ndjson`), lines.join(''))
  await store.close()
}
