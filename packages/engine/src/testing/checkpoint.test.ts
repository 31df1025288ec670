import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../open.js'
import type { Store } from '../store.js'
import { type Backend, backends } from './backends.js'
import { storeState } from './crash-workload.js'
import { FaultStorage } from './fault-storage.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const target = '/copies/one'

interface Filled {
  disk: PowerCutStorage
  faults: FaultStorage
  store: Store
}

async function filled({ open }: Backend, mapped: boolean): Promise<Filled> {
  const disk = new PowerCutStorage({ mapped })
  const faults = new FaultStorage(disk)
  const store = await open(faults)
  for (let i = 0; i < 200; i++) store.putSync(bytes(`key ${i % 90}`), bytes(`value ${i} `.repeat(12)))
  await store.compactRange()
  for (let i = 0; i < 40; i++) store.putSync(bytes(`key ${i}`), bytes(`newer ${i} `))
  for (let i = 0; i < 10; i++) store.deleteSync(bytes(`key ${i}`))
  return { disk, faults, store }
}

const cases = backends.flatMap((backend) => [true, false].map((mapped) => ({ name: backend.name, backend, mapped })))

describe.each(cases)('checkpoint, $name, mapped $mapped', ({ backend, mapped }) => {
  const openCopy = (disk: PowerCutStorage) => backend.open(disk, {}, undefined, target)

  test('is the store of its moment, and goes its own way', async () => {
    const { disk, store } = await filled(backend, mapped)
    const then = storeState(store)
    const done = store.checkpoint(target)
    for (let i = 0; i < 300; i++) store.putSync(bytes(`key ${i}`), bytes('after '.repeat(20)))
    const cleared = store.clear()
    await Promise.all([done, cleared])
    expect(storeState(store)).toBe('[]')
    const copy = await openCopy(disk)
    expect(storeState(copy)).toBe(then)
    expect((await copy.verify()).errors).toEqual([])
    copy.putSync(bytes('only here'), bytes('1'))
    await copy.compactRange()
    await store.put(bytes('only there'), bytes('2'))
    await store.compactRange()
    expect(storeState(store)).toBe('[["only there","2"]]')
    await store.close()
    await copy.close()
    const again = await openCopy(disk)
    expect(again.getSync(bytes('only here'))).toBeDefined()
    await again.close()
    expect(disk.openFiles).toBe(0)
  })

  test('of an empty store, of a read-only one, and without links', async () => {
    const disk = new PowerCutStorage({ mapped })
    const empty = await backend.open(disk)
    await empty.checkpoint(target)
    await empty.close()
    const copy = await openCopy(disk)
    expect(storeState(copy)).toBe('[]')
    await copy.close()

    const { disk: other, store } = await filled(backend, mapped)
    const then = storeState(store)
    const left = other.processCrashClone()
    await store.close()
    left.link = () => false
    const reader = await backend.open(left, { readOnly: true })
    await reader.checkpoint(target)
    await reader.close()
    const copied = await openCopy(left.crashClone(0, 1))
    expect(storeState(copied)).toBe(then)
    expect((await copied.verify()).errors).toEqual([])
    await copied.close()
    expect(left.openFiles).toBe(0)
  })

  test('after a crash at any moment it is refused, or whole; once it has resolved, whole', async () => {
    const { disk, store } = await filled(backend, mapped)
    const then = storeState(store)
    const crashes: { clone: PowerCutStorage; label: string; done: boolean }[] = []
    let done = false
    const crash = (label: string) => {
      crashes.push({ clone: disk.processCrashClone(), label: `process, ${label}`, done })
      for (const p of [0, 0.5, 1])
        crashes.push({ clone: disk.crashClone(p, crashes.length), label: `power ${p}, ${label}`, done })
    }
    disk.onChange = (operation, path) => crash(`${operation} ${path}`)
    await store.checkpoint(target)
    done = true
    crash('at the end')
    disk.onChange = () => {}
    const outcomes = { absent: 0, refused: 0, whole: 0 }
    for (const { clone, label, done } of crashes) {
      const source = await backend.open(clone)
      // The source has lost nothing of what it promised, whatever became of the copy.
      expect(source.getSync(bytes('key 80')), label).toBeDefined()
      if (label.startsWith('process')) expect(storeState(source), label).toBe(then)
      const started = clone.makeDirectory(target) ? false : clone.list(target).length > 0
      if (!started) {
        expect(done, label).toBe(false)
        outcomes.absent++
      } else {
        try {
          const copy = await openCopy(clone)
          expect(storeState(copy), label).toBe(then)
          await copy.close()
          outcomes.whole++
        } catch (error) {
          expect((error as Error).message, label).toContain(`${target} is a checkpoint that was never finished`)
          expect(done, label).toBe(false)
          outcomes.refused++
          // Another one can be made in the same place.
          const now = storeState(source)
          await source.checkpoint(target)
          const copy = await openCopy(clone)
          expect(storeState(copy), label).toBe(now)
          await copy.close()
        }
      }
      await source.close()
      expect(clone.openFiles, label).toBe(0)
    }
    expect(outcomes.refused).toBeGreaterThan(20)
    expect(outcomes.whole).toBeGreaterThan(3)
    await store.close()
  })

  test('after an error at any call nothing of it is left, and the next one works', async () => {
    let n = 0
    for (let more = true; more; n++) {
      const { disk, faults, store } = await filled(backend, mapped)
      const from = faults.calls
      faults.rule = ({ index }) => (index === from + 1 + n ? 'ENOSPC' : undefined)
      const error = await store.checkpoint(target).catch((error) => error)
      more = faults.injected.length > 0
      const [call] = faults.injected
      const label = `${call?.operation} ${call?.path}`
      // A flush that runs meanwhile has failures of its own.
      if (more && error === undefined) expect(label).toMatch(/ \/store(\/|$)/)
      else if (more) {
        expect(error, label).toMatchObject({ code: 'CASKADE_DISK_FULL' })
        if (!disk.makeDirectory(target)) {
          // The fault may have hit the very removal of the remains: then they are marked.
          const names = disk.list(target)
          expect(
            names.length === 0 || names.includes('UNFINISHED') || names.join() === 'LOCK',
            `${label}: ${names}`,
          ).toBe(true)
        }
        if (store.stats().readOnlyReason === undefined) {
          await store.checkpoint(target)
          const copy = await openCopy(disk)
          expect(storeState(copy), label).toBe(storeState(store))
          await copy.close()
        }
      }
      // Where the fault was the manifest's, closing tells of it.
      await store.close().catch((failure) => expect(failure).toMatchObject({ code: 'CASKADE_DISK_FULL' }))
      expect(disk.openFiles, label).toBe(0)
    }
    expect(n).toBeGreaterThan(15)
  })

  test('aborted, or overtaken by close, it rejects with the reason and leaves nothing', async () => {
    const { disk, store } = await filled(backend, mapped)
    const reason = new Error('enough')
    await expect(store.checkpoint(target, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const running = store.checkpoint(target, { signal: controller.signal })
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(disk.makeDirectory(target)).toBe(true)
    await expect(store.checkpoint(target, { signal: 'now' as never })).rejects.toThrow(TypeError)
    const overtaken = store.checkpoint(target)
    const closed = store.close()
    await expect(overtaken).rejects.toMatchObject({ code: 'CASKADE_CLOSED' })
    await closed
    expect(disk.list(target)).toEqual([])
    await expect(store.checkpoint(target)).rejects.toMatchObject({ code: 'CASKADE_CLOSED' })
    expect(disk.openFiles).toBe(0)
  })
})

describe('in files', () => {
  let parent: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'caskade-checkpoint-'))
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  test.each(
    (['lsm', 'bitcask'] as const).flatMap((kind) => (['auto', 'off'] as const).map((mmap) => ({ kind, mmap }))),
  )('settled files are shared, the directory is private, $kind, mmap $mmap', async ({ kind, mmap }) => {
    const options = { store: kind, mmap } as const
    const store = await openStore(join(parent, 'store'), {
      ...options,
      memtableBytes: 64 << 10,
      dataFileBytes: 64 << 10,
    })
    for (let i = 0; i < 3000; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i}`))
    await store.flush()
    for (let i = 0; i < 100; i++) store.putSync(bytes(`key ${i}`), bytes(`newer ${i}`))
    const copyAt = join(parent, 'deep', 'copy')
    await store.checkpoint(copyAt)
    await expect(store.checkpoint(copyAt)).rejects.toThrow(/it holds 0.*name a directory that is empty/)
    const tables = readdirSync(copyAt).filter((name) => /\.(sst|hint)$/.test(name))
    expect(tables.length).toBeGreaterThan(0)
    for (const name of tables) expect(statSync(join(copyAt, name)).nlink).toBeGreaterThan(1)
    expect(statSync(copyAt).mode & 0o777).toBe(0o700)
    const copy = await openStore(copyAt, { ...options, readOnly: true })
    expect(storeState(copy)).toBe(storeState(store))
    await copy.close()
    await store.close()
  })

  test('a directory in use for something else is left alone', async () => {
    const store = await openStore(join(parent, 'store'))
    const other = join(parent, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'precious'), 'content')
    await expect(store.checkpoint(other)).rejects.toMatchObject({ code: 'CASKADE_IO' })
    expect(readdirSync(other)).toEqual(['precious'])
    await expect(store.checkpoint(join(parent, 'store'))).rejects.toMatchObject({ code: 'CASKADE_IO' })
    expect(() => store.atomic(() => store.checkpoint(other))).toThrow(TypeError)
    await store.close()
  })
})
