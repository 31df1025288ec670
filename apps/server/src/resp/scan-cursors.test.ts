import { expect, test } from 'vitest'
import { seededRandom } from './random-commands.test.kit.js'
import { ScanCursors } from './scan-cursors.js'

test('a cursor finds its key, again and again', () => {
  const cursors = new ScanCursors(1 << 20, seededRandom(1))
  const cursor = cursors.remember('key:10')
  expect(cursor).toMatch(/^[1-9][0-9]*$/)
  expect(Number.isSafeInteger(Number(cursor))).toBe(true)
  expect(cursors.find(cursor)).toBe('key:10')
  expect(cursors.find(cursor)).toBe('key:10')
  expect(cursors.remember('key:10')).toBe(cursor)
})

test('the table is bounded: the longest unused is forgotten', () => {
  const cursors = new ScanCursors(10_000, seededRandom(1))
  const kept = cursors.remember('kept')
  const first = cursors.remember('first')
  for (let i = 0; i < 1000; i++) {
    cursors.remember(`key:${i}`)
    expect(cursors.find(kept)).toBe('kept')
  }
  expect(cursors.find(first)).toBeUndefined()
})

test('a cursor of another process is unknown', () => {
  const old = new ScanCursors(10_000, seededRandom(1)).remember('key')
  const fresh = new ScanCursors(10_000, seededRandom(2))
  fresh.remember('other')
  expect(fresh.find(old)).toBeUndefined()
})
