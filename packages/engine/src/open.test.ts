import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore, storeExists } from './open.js'
import type { OpenOptions } from './store.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-open-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('storeExists: once it was opened, and nowhere else', async () => {
  const path = join(directory, 'a', 'b')
  expect(storeExists(path)).toBe(false)
  expect(storeExists(directory)).toBe(false)
  const store = await openStore(path)
  expect(storeExists(path)).toBe(true)
  await store.close()
  expect(storeExists(path)).toBe(true)
  expect(storeExists(directory)).toBe(false)
})

/** Bytes of all tables after 2 MB that compress well were compacted, and how many there are. */
async function tables(options: OpenOptions): Promise<{ bytes: number; count: number }> {
  const path = mkdtempSync(join(directory, 'store-'))
  const store = await openStore(path, options)
  for (let i = 0; i < 2000; i++) store.putSync(Buffer.from(`key ${i}`), Buffer.alloc(1000, i))
  await store.compactRange()
  await store.close()
  const sizes = readdirSync(path)
    .filter((name) => name.endsWith('.sst'))
    .map((name) => statSync(join(path, name)).size)
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), count: sizes.length }
}

test('compression and tableBytes shape the tables', async () => {
  expect((await tables({})).bytes).toBeLessThan(500_000)
  const plain = await tables({ compression: 'none', tableBytes: 1 << 20 })
  expect(plain.bytes).toBeGreaterThan(2_000_000)
  expect(plain.count).toBeGreaterThan(1)
})
