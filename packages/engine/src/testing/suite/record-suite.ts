import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../bytes.js'
import { keyBytesMax, writtenAtMax } from '../../store.js'
import { SeededRandom } from '../seeded-random.js'
import { bytes, keysOf, numbered, type SuiteStore, text, texts } from './suite-store.js'

export function recordSuite(use: SuiteStore): void {
  const { get, put, reopen } = use
  describe('one record', () => {
    test('what was put is read by every read, until it is overwritten or deleted', async () => {
      expect(get('a')).toBeUndefined()
      put('a', '1')
      expect(get('a')).toBe('1')
      await use.store.put(bytes('a'), bytes('2'))
      expect(text(await use.store.get(bytes('a')))).toBe('2')
      expect((await use.store.getMany([bytes('b'), bytes('a'), bytes('a')])).map(text)).toEqual([undefined, '2', '2'])
      expect(use.store.getEntry(bytes('a'))).toMatchObject({ sequence: 2, expiresAt: 0, tag: 0, writtenAt: 0 })
      await use.store.delete(bytes('a'))
      expect(get('a')).toBeUndefined()
      expect(await use.store.get(bytes('a'))).toBeUndefined()
      expect(use.store.getEntry(bytes('a'))).toBeUndefined()
      expect(use.store.borrow(bytes('a'), 0, 1)).toBeUndefined()
      expect(keysOf(use.store.scan())).toEqual([])
    })

    test('many keys at once, in any order, absent and repeated ones among them, now and at a moment', async () => {
      const { store } = use
      // One hash tag: all keys of a table that tells them apart by a part of the hash.
      const key = (i: number) => bytes(`{tag}${i}`)
      for (let i = 0; i < 20_000; i++) store.putSync(key(i), bytes(`value ${i}`))
      const snapshot = store.snapshot()
      for (let i = 0; i < 20_000; i += 5) store.deleteSync(key(i))
      const asked = Array.from({ length: 500 }, (_, n) => (n * 7919) % 20_100)
      const before = asked.map((i) => (i < 20_000 ? `value ${i}` : undefined))
      const after = before.map((value, n) => (asked[n]! % 5 === 0 ? undefined : value))
      expect((await store.getMany(asked.map(key))).map(text)).toEqual(after)
      expect((await store.getMany(asked.map(key), { snapshot })).map(text)).toEqual(before)
      await expect(store.getMany([key(1), new Uint8Array(0)])).rejects.toThrow(RangeError)
      snapshot.close()
    })

    test('the hot paths take slices of larger buffers', () => {
      const source = bytes('<key|value>')
      expect(use.store.putFrom(source, 1, 4, source, 5, 10, 0, 3, 1_790_000_000_000)).toBe(1)
      const borrowed = use.store.borrow(bytes('?key?'), 1, 4)!
      expect(text(borrowed.bytes.subarray(borrowed.valueStart, borrowed.valueEnd))).toBe('value')
      expect(borrowed).toMatchObject({ sequence: 1, expiresAt: 0, tag: 3, writtenAt: 1_790_000_000_000 })
      expect(use.store.deleteFrom(source, 1, 4)).toBe(2)
      expect(get('key')).toBeUndefined()
    })

    test('what is borrowed is whole before the next call, from memory and from tables', async () => {
      for (let i = 0; i < 500; i++) use.store.putSync(numbered(i), bytes(`value ${i}`.repeat(20)))
      for (const settle of [() => {}, () => use.store.flush(), () => use.store.compactRange()]) {
        await settle()
        for (let i = 0; i < 500; i += 7) {
          const key = numbered(i)
          const borrowed = use.store.borrow(key, 0, key.length)!
          expect(text(borrowed.bytes.subarray(borrowed.valueStart, borrowed.valueEnd))).toBe(`value ${i}`.repeat(20))
        }
      }
    })

    test('what is given or returned is nobody else’s memory', async () => {
      const key = bytes('key')
      const value = bytes('value')
      use.store.putSync(key, value)
      key.fill(0)
      value.fill(0)
      expect(get('key')).toBe('value')
      for (const settle of [() => {}, () => use.store.flush()]) {
        await settle()
        use.store.getSync(bytes('key'))!.fill(0)
        const entry = use.store.getEntry(bytes('key'))!
        entry.value.fill(0)
        entry.key.fill(0)
        for (const scanned of use.store.scan()) {
          scanned.value.fill(0)
          scanned.key.fill(0)
        }
        expect(get('key')).toBe('value')
        expect(texts(use.store.scan())).toEqual(['key=value'])
      }
    })

    test('empty values, and keys and values of any bytes', () => {
      for (let byte = 0; byte < 256; byte++) {
        use.store.putSync(Uint8Array.of(byte), Uint8Array.of(byte, 0, 255))
        use.store.putSync(Uint8Array.of(0, byte), new Uint8Array(0))
      }
      expect(use.store.getSync(Uint8Array.of(0, 7))).toHaveLength(0)
      for (let byte = 0; byte < 256; byte++)
        expect(Buffer.compare(use.store.getSync(Uint8Array.of(byte))!, Uint8Array.of(byte, 0, 255))).toBe(0)
      const keys = [...use.store.scan()].map(({ key }) => key)
      expect(keys).toHaveLength(512)
      for (let i = 1; i < keys.length; i++) expect(compareBytes(keys[i - 1]!, keys[i]!)).toBeLessThan(0)
    })

    test('keys that are prefixes of each other, to the longest', async () => {
      const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 4095, 4096, keyBytesMax - 1, keyBytesMax]
      for (const length of lengths) use.store.putSync(new Uint8Array(length).fill(0x61), bytes(String(length)))
      for (const settle of [() => {}, () => use.store.flush(), () => use.store.compactRange(), reopen]) {
        if (settle !== reopen || use.place.persistent) await settle()
        for (const length of lengths)
          expect(text(use.store.getSync(new Uint8Array(length).fill(0x61)))).toBe(String(length))
        expect(use.store.getSync(new Uint8Array(6).fill(0x61))).toBeUndefined()
        expect([...use.store.scan()].map(({ key }) => key.length)).toEqual(lengths)
        expect([...use.store.scan({ reverse: true })].map(({ key }) => key.length)).toEqual(lengths.toReversed())
      }
    })

    test('values far larger than a memtable', async () => {
      const sizes = [65_535, 65_536, 65_537, 3 << 20]
      const random = new SeededRandom(1)
      const values = sizes.map(
        (size) =>
          new Uint8Array(
            Uint32Array.from({ length: Math.ceil(size / 4) }, () => random.below(2 ** 32)).buffer,
            0,
            size,
          ),
      )
      for (const [i, value] of values.entries()) use.store.putSync(numbered(i), value)
      for (const settle of [() => {}, () => use.store.flush(), () => use.store.compactRange(), reopen]) {
        if (settle !== reopen || use.place.persistent) await settle()
        for (const [i, value] of values.entries())
          expect(Buffer.compare(use.store.getSync(numbered(i))!, value), `${value.length} bytes`).toBe(0)
      }
    })

    test('when each record was written, if it was said', async () => {
      const times = [0, 1, 1_790_000_000_000, 1_790_000_000_001, 1_789_913_600_000, 0, 2 ** 33, writtenAtMax]
      const write = (i: number) => {
        const key = numbered(i)
        const writtenAt = times[i]!
        // With and without an expiry before it, alone and in a batch.
        if (i % 2) use.store.putFrom(key, 0, key.length, bytes('v'), 0, 1, use.now + 1000, 1, writtenAt)
        else use.store.writeSync([{ type: 'put', key, value: bytes('v'), writtenAt }])
      }
      for (const i of times.keys()) write(i)
      for (const settle of [
        () => {},
        () => use.store.flush(),
        () => write(3),
        () => use.store.compactRange(),
        reopen,
      ]) {
        if (settle !== reopen || use.place.persistent) await settle()
        expect(times.map((_, i) => use.store.getEntry(numbered(i))?.writtenAt)).toEqual(times)
        expect(times.map((_, i) => use.store.borrow(numbered(i), 0, numbered(i).length)?.writtenAt)).toEqual(times)
        expect([...use.store.scan()].map(({ writtenAt }) => writtenAt)).toEqual(times)
        expect([...use.store.scan({ reverse: true })].map(({ writtenAt }) => writtenAt)).toEqual(times.toReversed())
        expect(text(use.store.getSync(numbered(3)))).toBe('v')
      }
      use.store.putSync(numbered(3), bytes('anew'))
      expect(use.store.getEntry(numbered(3))).toMatchObject({ writtenAt: 0, expiresAt: 0 })
    })

    test('the latest expiry there is', async () => {
      use.store.putSync(bytes('a'), bytes('1'), { expiresAt: Number.MAX_SAFE_INTEGER })
      for (const settle of [() => {}, () => use.store.flush(), () => use.store.compactRange()]) {
        await settle()
        expect(use.store.getEntry(bytes('a'))?.expiresAt).toBe(Number.MAX_SAFE_INTEGER)
      }
    })

    test('tags', async () => {
      for (let tag = 0; tag <= 15; tag++)
        use.store.putSync(numbered(tag), bytes(''), { tag, expiresAt: tag % 2 ? use.now + 1 : 0 })
      for (const settle of [() => {}, () => use.store.flush(), () => use.store.compactRange()]) {
        await settle()
        for (let tag = 0; tag <= 15; tag++) expect(use.store.getEntry(numbered(tag))?.tag).toBe(tag)
        expect([...use.store.scan()].map(({ tag }) => tag)).toEqual(Array.from({ length: 16 }, (_, tag) => tag))
      }
    })
  })
}
