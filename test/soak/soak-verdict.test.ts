import { expect, test } from 'vitest'
import { judgeSoak, type SoakSample } from './soak-verdict.js'

const run = (change: (i: number) => Partial<SoakSample>): SoakSample[] =>
  Array.from({ length: 1000 }, (_, i) => ({
    seconds: i,
    anonymousBytes: 200 << 20,
    mappedBytes: 120 << 20,
    heapBytes: (20 << 20) + (i % 9) * 100_000,
    descriptors: 30 + (i % 3),
    handles: 5,
    diskBytes: 100 << 20,
    ...change(i),
  }))

test('flat figures are flat, whatever the first fifth was', () => {
  expect(judgeSoak(run(() => ({})))).toMatchObject({ flat: true, growing: [] })
  expect(judgeSoak(run((i) => ({ anonymousBytes: Math.min(200 << 20, (50 << 20) + i * 900_000) }))).flat).toBe(true)
})

test('each figure that grows is named', () => {
  expect(judgeSoak(run((i) => ({ anonymousBytes: (200 << 20) + i * 60_000 }))).growing).toEqual(['anonymousBytes'])
  expect(judgeSoak(run((i) => ({ descriptors: 30 + Math.floor(i / 50) }))).growing).toEqual(['descriptors'])
  expect(
    judgeSoak(run((i) => ({ handles: 5 + Math.floor(i / 100), diskBytes: (100 << 20) + i * 100_000 }))).growing,
  ).toEqual(['handles', 'diskBytes'])
})

test('mapped memory may be as large as the files, not larger', () => {
  expect(judgeSoak(run((i) => ({ mappedBytes: i * 190_000 }))).growing).toEqual([])
  expect(judgeSoak(run((i) => ({ mappedBytes: i * 250_000 }))).growing).toEqual(['mappedBytes'])
})
