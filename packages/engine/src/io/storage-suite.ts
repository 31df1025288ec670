import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CaskadeError } from '../errors.js'
import type { Storage } from './storage.js'

/** What every body of the storage port must do; `make` gives a storage that may use any directory below the temporary one. */
export function storageSuite(name: string, make: () => Storage): void {
  describe(`storage suite: ${name}`, () => {
    let storage: Storage
    let directory: string
    let path: string

    beforeEach(() => {
      storage = make()
      directory = mkdtempSync(join(tmpdir(), 'caskade-storage-'))
      storage.makeDirectory(directory)
      path = join(directory, 'file')
    })
    afterEach(() => rmSync(directory, { recursive: true, force: true }))

    function put(content: string | Uint8Array, target = path): void {
      const file = storage.create(target)
      file.append(Buffer.from(content))
      file.close()
    }

    function get(source = path): string {
      const file = storage.open(source)
      const target = Buffer.alloc(file.size)
      file.read(target, 0, file.size, 0)
      file.close()
      return target.toString('latin1')
    }

    function failure(action: () => unknown): { code: string; message: string } {
      try {
        action()
      } catch (error) {
        const { code, message } = error as CaskadeError
        return { code, message }
      }
      throw new Error('expected a failure')
    }

    describe('names', () => {
      test('directories are made with their parents, and again', () => {
        const deep = join(directory, 'a', 'b')
        expect(storage.makeDirectory(deep)).toBe(true)
        expect(storage.makeDirectory(deep)).toBe(false)
        put('x', join(deep, 'file'))
        storage.syncDirectory(deep)
        expect(storage.list(deep)).toEqual(['file'])
      })

      test('a directory that cannot be made is refused, not tried for ever', () => {
        put('x', path)
        expect(() => storage.makeDirectory(join(path, 'below'))).toThrow('cannot create')
        if (process.platform === 'linux') expect(() => storage.makeDirectory('/proc/caskade')).toThrow('cannot create')
      })

      test('are listed sorted, renamed and removed', () => {
        for (const name of ['10', '9', 'b', 'a']) put(name, join(directory, name))
        expect(storage.list(directory)).toEqual(['10', '9', 'a', 'b'])
        storage.rename(join(directory, 'a'), join(directory, 'b'))
        expect(get(join(directory, 'b'))).toBe('a')
        storage.remove(join(directory, '9'))
        storage.remove(join(directory, '9'))
        storage.syncDirectory(directory)
        expect(storage.list(directory)).toEqual(['10', 'b'])
      })

      test('a link is the same file under a second name', () => {
        put('content')
        const second = join(directory, 'second')
        expect(storage.link(path, second)).toBe(true)
        expect(storage.list(directory)).toEqual(['file', 'second'])
        expect(failure(() => storage.link(path, second))).toMatchObject({
          code: 'CASKADE_IO',
          message: expect.stringContaining('EEXIST'),
        })
        storage.remove(path)
        expect(get(second)).toBe('content')
        const { code, message } = failure(() => storage.link(path, join(directory, 'third')))
        expect([code, message.includes(path)]).toEqual(['CASKADE_IO', true])
      })

      test('a file is removed off the thread, and again', async () => {
        put('x')
        await storage.removeLater(path)
        expect(storage.list(directory)).toEqual([])
        await storage.removeLater(path)
      })

      test('a file is synced by its name, and one that is gone is nothing to sync', () => {
        put('x')
        storage.syncFile(path)
        expect(get(path)).toBe('x')
        storage.remove(path)
        storage.syncFile(path)
        expect(storage.list(directory)).toEqual([])
      })

      test('a directory is removed when it is empty', () => {
        const inner = join(directory, 'inner')
        storage.makeDirectory(inner)
        put('x', join(inner, 'file'))
        storage.removeDirectory(inner)
        expect(storage.list(inner)).toEqual(['file'])
        storage.remove(join(inner, 'file'))
        storage.removeDirectory(inner)
        expect(() => storage.list(inner)).toThrow(inner)
        storage.removeDirectory(inner)
      })

      test('size is undefined for no file', () => {
        expect(storage.size(path)).toBeUndefined()
        put('12345')
        expect(storage.size(path)).toBe(5)
      })

      test('what is not there is named', () => {
        const missing = join(directory, 'missing')
        const actions: (() => unknown)[] = [
          () => storage.open(missing),
          () => storage.append(missing, 0),
          () => storage.openSegment(missing),
          () => storage.rename(missing, path),
          () => storage.list(missing),
          () => storage.syncDirectory(missing),
        ]
        for (const action of actions) {
          const { code, message } = failure(action)
          expect(code).toBe('CASKADE_IO')
          expect(message).toContain(missing)
        }
      })
    })

    describe('append file', () => {
      test('is created once, counts its length, and is read back whole', () => {
        const file = storage.create(path)
        expect(file.path).toBe(path)
        const big = Buffer.alloc(3 * 1024 * 1024 + 7, 'abcdefg')
        file.append(Buffer.from('head'))
        file.append(new Uint8Array(0))
        file.append(big)
        expect(file.length).toBe(4 + big.length)
        file.sync()
        file.close()
        file.close()
        expect(get() === `head${big.toString('latin1')}`).toBe(true)
        const { code, message } = failure(() => storage.create(path))
        expect(code).toBe('CASKADE_IO')
        expect(message).toContain(path)
        expect(storage.size(path)).toBe(4 + big.length)
      })

      test('cuts what follows the given length, and goes on there', () => {
        put('abcdef')
        const file = storage.append(path, 3)
        expect(file.length).toBe(3)
        expect(storage.size(path)).toBe(3)
        file.append(Buffer.from('XY'))
        file.close()
        expect(get()).toBe('abcXY')
      })

      test('refuses a file that is shorter than the given length, and leaves it', () => {
        put('abc')
        const { code, message } = failure(() => storage.append(path, 4))
        expect(code).toBe('CASKADE_IO')
        expect(message).toMatch(/first 4 bytes.*it has 3/)
        expect(get()).toBe('abc')
      })

      test('syncs later, also when closed meanwhile', async () => {
        const file = storage.create(path)
        file.append(Buffer.from('x'))
        const syncs = [file.syncLater(), file.syncLater()]
        file.close()
        await Promise.all(syncs)
        expect(failure(() => file.append(Buffer.from('y'))).code).toBe('CASKADE_CLOSED')
        expect(failure(() => file.sync()).code).toBe('CASKADE_CLOSED')
        await expect(file.syncLater()).rejects.toMatchObject({ code: 'CASKADE_CLOSED' })
      })
    })

    describe('read file', () => {
      test('copies exactly what is asked, to where it is asked', () => {
        put('0123456789')
        const file = storage.open(path)
        expect(file.size).toBe(10)
        expect(file.path).toBe(path)
        const target = Buffer.from('..........')
        file.read(target, 2, 3, 6)
        file.read(target, 9, 0, 10)
        expect(target.toString()).toBe('..678.....')
        for (const advice of ['will-need', 'random', 'sequential', 'dont-need'] as const) file.advise(2, 5, advice)
        file.read(target, 0, 10, 0)
        expect(target.toString()).toBe('0123456789')
        file.close()
        file.close()
      })

      test('throws instead of reading less', () => {
        put('0123456789')
        const file = storage.open(path)
        const { code, message } = failure(() => file.read(Buffer.alloc(20), 0, 11, 0))
        expect(code).toBe('CASKADE_IO')
        expect(message).toContain(path)
        expect(message).toMatch(/11 bytes at offset 0.*ends at 10/)
        expect(failure(() => file.read(Buffer.alloc(20), 0, 1, 10)).code).toBe('CASKADE_IO')
        file.close()
        expect(failure(() => file.read(Buffer.alloc(20), 0, 1, 0)).code).toBe('CASKADE_CLOSED')
      })

      test('has a mapping when the storage maps, gone after close', () => {
        put('0123456789')
        const file = storage.open(path)
        if (storage.mapped) expect(Buffer.from(file.mapping!).toString()).toBe('0123456789')
        else expect(file.mapping).toBeUndefined()
        file.close()
        expect(file.mapping).toBeUndefined()
      })

      test('may be empty', () => {
        put('')
        const file = storage.open(path)
        expect(file.size).toBe(0)
        file.read(new Uint8Array(0), 0, 0, 0)
        file.advise(0, 0, 'random')
        file.close()
      })

      test('stays readable after its name is gone', () => {
        put('0123456789')
        const file = storage.open(path)
        storage.remove(path)
        const target = Buffer.alloc(10)
        file.read(target, 0, 10, 0)
        expect(target.toString()).toBe('0123456789')
        file.close()
      })
    })

    describe('segment', () => {
      const capacity = 256 * 1024 + 13

      test('starts as zeros at full size; what is committed is seen by others', () => {
        const segment = storage.createSegment(path, capacity)
        expect([segment.path, segment.capacity, segment.bytes.length]).toEqual([path, capacity, capacity])
        expect(storage.size(path)).toBe(capacity)
        expect(segment.bytes.every((byte) => byte === 0)).toBe(true)
        segment.bytes.set(Buffer.from('first'), 0)
        segment.commit(0, 5)
        segment.bytes.set(Buffer.from('last'), capacity - 4)
        segment.commit(capacity - 4, capacity)
        segment.commit(7, 7)

        const other = storage.openSegment(path)
        expect(other.capacity).toBe(capacity)
        expect(Buffer.from(other.bytes.subarray(0, 6)).toString()).toBe('first\0')
        expect(Buffer.from(other.bytes.subarray(-4)).toString()).toBe('last')
        other.sync()
        other.close()
        segment.sync()
        segment.close()
        const content = get()
        expect(content.startsWith('first\0')).toBe(true)
        expect(content.endsWith('\0last')).toBe(true)
      })

      test('gets its space as it is written, at the full size from the beginning', () => {
        const created = storage.createSegment(path, capacity, 8192)
        expect([created.capacity, created.bytes.length, storage.size(path)]).toEqual([capacity, capacity, capacity])
        expect(created.allocated).toBeGreaterThanOrEqual(8192)
        created.close()
        const segment = storage.resumeSegment(path, 8192)
        expect([segment.capacity, segment.bytes.length]).toEqual([capacity, capacity])
        segment.bytes.fill(1, 0, 8192)
        segment.commit(0, 8192)
        segment.allocate(100_000)
        segment.allocate(50_000)
        expect(segment.allocated).toBeGreaterThanOrEqual(100_000)
        segment.bytes.fill(2, 8192, 100_000)
        segment.commit(8192, 100_000)
        segment.allocate(capacity)
        segment.bytes[capacity - 1] = 3
        segment.commit(capacity - 1, capacity)
        segment.sync()
        segment.close()
        expect(failure(() => segment.allocate(1)).code).toBe('CASKADE_CLOSED')
        const content = Buffer.from(get(), 'latin1')
        const expected = Buffer.alloc(capacity)
          .fill(1, 0, 8192)
          .fill(2, 8192, 100_000)
          .fill(3, capacity - 1)
        expect(content.equals(expected)).toBe(true)
      })

      test('is opened for reading only', () => {
        storage.createSegment(path, capacity).close()
        const segment = storage.openSegment(path)
        expect(() => segment.commit(0, 1)).toThrow(TypeError)
        expect(() => segment.allocate(1)).toThrow(TypeError)
        segment.close()
      })

      test('is gone after close', async () => {
        const segment = storage.createSegment(path, capacity)
        segment.bytes[0] = 1
        segment.commit(0, 1)
        const synced = segment.syncLater()
        segment.close()
        segment.close()
        await synced
        expect(failure(() => segment.bytes).code).toBe('CASKADE_CLOSED')
        expect(failure(() => segment.sync()).code).toBe('CASKADE_CLOSED')
        expect(get().startsWith('\x01\0')).toBe(true)
      })

      test('never overwrites a file, and has at least one byte', () => {
        put('precious')
        expect(failure(() => storage.createSegment(path, capacity))).toMatchObject({
          code: 'CASKADE_IO',
          message: expect.stringContaining(path),
        })
        expect(get()).toBe('precious')
        for (const bad of [0, -1, 1.5, Number.NaN]) {
          expect(() => storage.createSegment(join(directory, 'other'), bad)).toThrow(RangeError)
        }
        expect(storage.list(directory)).toEqual(['file'])
      })

      test('of a crash at its creation may be empty', () => {
        put('')
        const segment = storage.openSegment(path)
        expect(segment.bytes.length).toBe(0)
        segment.close()
      })
    })

    test('lock: one owner at a time, also within this process', () => {
      const lockPath = join(directory, 'LOCK')
      const lock = storage.lock(lockPath, 'exclusive')
      expect(failure(() => storage.lock(lockPath, 'exclusive'))).toMatchObject({
        code: 'CASKADE_LOCKED',
        message: expect.stringContaining(`${directory} is in use by process ${process.pid}`),
      })
      expect(failure(() => storage.lock(lockPath, 'shared')).code).toBe('CASKADE_LOCKED')
      lock.release()
      lock.release()
      storage.lock(lockPath, 'exclusive').release()
    })

    test('lock: many readers, or one owner', () => {
      const lockPath = join(directory, 'LOCK')
      storage.lock(lockPath, 'shared').release()
      expect(storage.list(directory)).toEqual([])
      storage.lock(lockPath, 'exclusive').release()
      const readers = [storage.lock(lockPath, 'shared'), storage.lock(lockPath, 'shared')]
      for (const reader of readers) {
        expect(failure(() => storage.lock(lockPath, 'exclusive')).code).toBe('CASKADE_LOCKED')
        reader.release()
        reader.release()
      }
      storage.lock(lockPath, 'exclusive').release()
    })
  })
}
