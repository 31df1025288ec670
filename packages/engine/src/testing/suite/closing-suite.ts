import { describe, expect, test } from 'vitest'
import type { Entry } from '../../store.js'
import { bytes, numbered, type SuiteStore, texts } from './suite-store.js'

export function closingSuite(use: SuiteStore): void {
  const { get, put, reopen } = use
  describe('closing', () => {
    test('keeps everything', async () => {
      if (!use.place.persistent) return
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 700; i++) use.store.putSync(numbered(i * (round + 1)), bytes(`round ${round}, ${i}`))
        use.store.putSync(bytes('tagged'), bytes('t'), {
          tag: 5,
          expiresAt: use.now + 1000,
          writtenAt: use.now + round,
        })
        const before = [...use.store.scan()]
        await reopen()
        expect([...use.store.scan()]).toEqual(before)
        await reopen()
        expect([...use.store.scan()]).toEqual(before)
      }
      use.now += 1000
      expect(get('tagged')).toBeUndefined()
    })

    test('twice, and twice at once, is once', async () => {
      put('a', '1')
      await Promise.all([use.store.close(), use.store.close()])
      await use.store.close()
      await use.store[Symbol.asyncDispose]()
      await use.open()
      if (use.place.persistent) expect(get('a')).toBe('1')
    })

    test('everything after it is refused', async () => {
      put('a', '1')
      await use.store.close()
      const key = bytes('a')
      const closed = expect.objectContaining({ code: 'CASKADE_CLOSED' })
      const atOnce: (() => unknown)[] = [
        () => use.store.getSync(key),
        () => use.store.getEntry(key),
        () => use.store.borrow(key, 0, 1),
        () => use.store.putSync(key, key),
        () => use.store.putFrom(key, 0, 1, key, 0, 1, 0, 0, 0),
        () => use.store.deleteSync(key),
        () => use.store.deleteFrom(key, 0, 1),
        () => use.store.writeSync([{ type: 'delete', key }]),
        () => use.store.writeSync([]),
        () => use.store.atomic(() => {}),
        () => use.store.scan(),
      ]
      for (const call of atOnce) expect(call, String(call)).toThrow(closed)
      const later: (() => Promise<unknown>)[] = [
        () => use.store.get(key),
        () => use.store.getMany([key]),
        () => use.store.put(key, key),
        () => use.store.delete(key),
        () => use.store.write([]),
        () => use.store.clear(),
        () => use.store.sync(),
        () => use.store.flush(),
        () => use.store.compactRange(),
        () => use.store.verify(),
      ]
      for (const call of later) await expect(call(), String(call)).rejects.toEqual(closed)
    })

    test('a scan under way ends or goes on, but gives nothing wrong', async () => {
      for (let i = 0; i < 1000; i++) use.store.putSync(numbered(i), bytes(`value ${i}`))
      await use.store.flush()
      const before = texts(use.store.scan())
      const iterator = use.store.scan()[Symbol.iterator]()
      const found = [iterator.next().value as Entry]
      await use.store.close()
      try {
        for (let step = iterator.next(); !step.done; step = iterator.next()) found.push(step.value)
      } catch (error) {
        expect(error).toMatchObject({ code: 'CASKADE_CLOSED' })
      }
      expect(texts(found)).toEqual(before.slice(0, found.length))
    })

    test('syncs under way end first', async () => {
      const order: string[] = []
      put('a', '1')
      const synced = use.store.sync().then(() => order.push('synced'))
      put('b', '2')
      const syncedAgain = use.store.sync().then(() => order.push('synced again'))
      await use.store.close().then(() => order.push('closed'))
      await Promise.all([synced, syncedAgain])
      expect(order).toEqual(['synced', 'synced again', 'closed'])
    })

    test('writes awaited when it begins are kept', async () => {
      if (!use.place.persistent) return
      const writes = Array.from({ length: 200 }, (_, i) => use.store.put(numbered(i), bytes(String(i))))
      await use.store.close()
      await Promise.all(writes)
      await use.open()
      expect([...use.store.scan()]).toHaveLength(200)
    })
  })
}
