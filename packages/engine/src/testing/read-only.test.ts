import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../open.js'
import type { Store } from '../store.js'
import { type Backend, backends } from './backends.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const texts = (store: Store) => [...store.scan()].map(({ key, value }) => `${Buffer.from(key)}=${Buffer.from(value)}`)

/** As a process left that died: tables, a segment to replay, a torn end, and a stray file. */
async function crashed({ open }: Backend, mapped: boolean): Promise<{ disk: PowerCutStorage; content: string[] }> {
  const disk = new PowerCutStorage({ mapped })
  const store = await open(disk, {}, () => {})
  for (let i = 0; i < 300; i++) store.putSync(bytes(`key ${i % 200}`), bytes(`value ${i} `.repeat(9)))
  const content = texts(store)
  store.putSync(bytes('torn'), bytes('torn'))
  const left = disk.processCrashClone()
  const segment = left.list('/store').findLast((name) => name.endsWith('.log'))!
  const written = left.contentOf(`/store/${segment}`)
  written[written.findLastIndex((byte) => byte !== 0)]! ^= 1
  left.place('/store/000900.sst', new Uint8Array(100))
  return { disk: left, content }
}

const cases = backends.flatMap((backend) => [true, false].map((mapped) => ({ name: backend.name, backend, mapped })))

describe.each(cases)('read-only, $name, mapped $mapped', ({ backend, mapped }) => {
  test('shows what recovery would, and changes nothing', async () => {
    const { disk, content } = await crashed(backend, mapped)
    const changes: string[] = []
    disk.onChange = (operation, path) => changes.push(`${operation} ${path}`)
    const store = await backend.open(disk, { readOnly: true })
    expect(texts(store)).toEqual(content)
    expect((await store.verify()).errors).toEqual([])
    expect(store.stats().readOnlyReason).toContain('/store was opened with readOnly')
    await store.close()
    expect(changes).toEqual([])
    expect(disk.openFiles).toBe(0)
    const writer = await backend.open(disk)
    expect(texts(writer)).toEqual(content)
    await writer.close()
  })

  test('refuses every write', async () => {
    const { disk } = await crashed(backend, mapped)
    const store = await backend.open(disk, { readOnly: true, durability: 'sync' })
    const refused = expect.objectContaining({ code: 'CASKADE_READ_ONLY' })
    const key = bytes('a')
    expect(() => store.putSync(key, key)).toThrow(refused)
    expect(() => store.deleteSync(key)).toThrow(refused)
    expect(() => store.writeSync([])).toThrow(refused)
    expect(() => store.atomic(() => 1)).toThrow(refused)
    for (const write of [
      () => store.put(key, key),
      () => store.clear(),
      () => store.flush(),
      () => store.compactRange(),
    ])
      await expect(write()).rejects.toEqual(refused)
    expect(store.durable()).toBeUndefined()
    await store.close()
  })

  test('any number of readers, or one writer', async () => {
    const { disk, content } = await crashed(backend, mapped)
    const readers = [await backend.open(disk, { readOnly: true }), await backend.open(disk, { readOnly: true })]
    for (const reader of readers) {
      await expect(backend.open(disk)).rejects.toMatchObject({ code: 'CASKADE_LOCKED' })
      expect(texts(reader)).toEqual(content)
      await reader.close()
    }
    const writer = await backend.open(disk)
    await expect(backend.open(disk, { readOnly: true })).rejects.toMatchObject({ code: 'CASKADE_LOCKED' })
    await writer.close()
  })

  test('creates nothing', async () => {
    const disk = new PowerCutStorage({ mapped })
    await expect(backend.open(disk, { readOnly: true })).rejects.toMatchObject({ code: 'CASKADE_IO' })
    disk.makeDirectory('/store')
    await expect(backend.open(disk, { readOnly: true })).rejects.toThrow('there is no store in /store')
    expect(disk.list('/store')).toEqual([])
    expect(disk.openFiles).toBe(0)
  })
})

describe('in files', () => {
  let parent: string
  let directory: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'caskade-read-only-'))
    directory = join(parent, 'store')
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  const fill = async () => {
    const store = await openStore(directory, { memtableBytes: 64 << 10 })
    for (let i = 0; i < 2000; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i}`))
    await store.close()
  }
  const snapshot = () =>
    readdirSync(directory).map((name) => {
      const { mtimeMs, size } = statSync(join(directory, name))
      return [name, mtimeMs, size, readFileSync(join(directory, name)).toString('base64')]
    })

  test.each(['auto', 'off'] as const)('no file, name or time changes; mmap %s', async (mmap) => {
    await fill()
    const before = snapshot()
    const readers = await Promise.all([1, 2].map(() => openStore(directory, { readOnly: true, mmap })))
    for (const reader of readers) expect(texts(reader)).toHaveLength(2000)
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'CASKADE_LOCKED', pid: undefined })
    for (const reader of readers) await reader.close()
    expect(snapshot()).toEqual(before)
  })

  test('a directory that is not there, or holds no store', async () => {
    await expect(openStore(directory, { readOnly: true })).rejects.toThrow(directory)
    mkdirSync(directory)
    await expect(openStore(directory, { readOnly: true })).rejects.toThrow('there is no store in')
    expect(readdirSync(directory)).toEqual([])
  })

  test.skipIf(!canMount())(
    'a file system mounted read-only: reading works, writing is refused with advice',
    async () => {
      mkdirSync(directory)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory])
      try {
        await fill()
        execFileSync('mount', ['-o', 'remount,ro', directory])
        const reader = await openStore(directory, { readOnly: true })
        expect(texts(reader)).toHaveLength(2000)
        await reader.close()
        await expect(openStore(directory)).rejects.toMatchObject({
          code: 'CASKADE_IO',
          message: expect.stringContaining('mounted read-only'),
        })
      } finally {
        execFileSync('umount', [directory])
      }
    },
  )
})

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory], { stdio: 'ignore' })
    execFileSync('umount', [directory])
    return true
  } catch {
    return false
  } finally {
    rmSync(directory, { recursive: true })
  }
}
