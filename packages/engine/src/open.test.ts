import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
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

test('stores and snapshots are disposed of where their block ends', async () => {
  {
    await using store = await openStore(directory)
    store.putSync(Buffer.from('a'), Buffer.from('1'))
    {
      using snapshot = store.snapshot()
      store.putSync(Buffer.from('a'), Buffer.from('2'))
      expect(store.getSync(Buffer.from('a'), { snapshot })).toEqual(Buffer.from('1'))
    }
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'CASKADE_LOCKED' })
  }
  await using again = await openStore(directory, { readOnly: true })
  expect(again.getSync(Buffer.from('a'))).toEqual(Buffer.from('2'))
})

test('a directory that is deleted under an open store: reads go on, a write that needs a file says so', async () => {
  const path = join(directory, 'gone')
  const store = await openStore(path, { memtableBytes: 64 << 10 })
  store.putSync(Buffer.from('a'), Buffer.from('1'))
  rmSync(path, { recursive: true })
  const fill = () => {
    for (let i = 0; i < 2000; i++) store.putSync(Buffer.from(`key ${i}`), Buffer.alloc(100))
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'CASKADE_IO', message: expect.stringContaining(path) }))
  expect(store.getSync(Buffer.from('a'))).toEqual(Buffer.from('1'))
  await store.close().catch((error) => expect(error).toMatchObject({ code: 'CASKADE_IO' }))
})

test('no descriptors left: the open fails with advice, and works when there are some', async () => {
  const program = `
    const fs = await import('node:fs')
    const { openStore } = await import(${JSON.stringify(new URL('./index.js', import.meta.url).href)})
    const path = process.argv[1]
    await (await openStore(path)).close()
    const held = []
    try { for (;;) held.push(fs.openSync('/dev/null')) } catch {}
    let refused = 0
    for (let free = 0; free < 6; free++) {
      if (free > 0) fs.closeSync(held.pop())
      try { await (await openStore(path)).close(); break } catch (error) {
        if (error.code !== 'CASKADE_IO' || !error.message.includes('ulimit -n')) throw error
        refused++
      }
    }
    for (const fd of held) fs.closeSync(fd)
    const store = await openStore(path)
    store.putSync(Buffer.from('a'), Buffer.from('1'))
    await store.close()
    console.log(refused > 0 ? 'refused, then well' : 'never refused')`
  const command = `ulimit -n 128; exec "$0" --input-type=module -e "$1" "$2"`
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, program, join(directory, 'few')])
  expect(stdout.trim()).toBe('refused, then well')
})
