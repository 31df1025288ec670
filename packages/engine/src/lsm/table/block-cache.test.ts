import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockCache } from './block-cache.js'

/** The reader's way: look, and on a miss reserve, fill, keep. True: it was there. */
function read(cache: BlockCache, fileNumber: number, block: number, length: number): boolean {
  const file = cache.file(fileNumber, 1000)
  const stamp = (fileNumber * 1000 + block) % 251
  const found = cache.find(file, block)
  if (found !== undefined) {
    expect(found.length).toBe(length)
    expect(Buffer.compare(found.bytes.subarray(0, length), Buffer.alloc(length, stamp))).toBe(0)
    return true
  }
  const content = cache.reserve(length)
  content.bytes.fill(stamp)
  cache.keep(file, block, content)
  return false
}

test('gives back what was kept, stays within its bound, forgets dropped files', () => {
  const operation = fc.record({
    file: fc.nat(3),
    block: fc.nat(60),
    drop: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), fc.constantFrom(0, 4096, 20_000), (operations, bytesMax) => {
      const cache = new BlockCache(bytesMax)
      const since = new Set<string>()
      for (const { file, block, drop } of operations) {
        if (drop) {
          cache.drop(file)
          for (const name of since) if (name.startsWith(`${file}/`)) since.delete(name)
        } else {
          const hit = read(cache, file, block, 100 + block * 40)
          if (hit) expect(since).toContain(`${file}/${block}`)
          since.add(`${file}/${block}`)
        }
        expect(cache.stats.bytes).toBeLessThanOrEqual(bytesMax)
      }
      for (const file of [0, 1, 2, 3]) cache.drop(file)
      expect(cache.stats).toMatchObject({ bytes: 0, blocks: 0 })
    }),
  )
})

test('counts hits and misses', () => {
  const cache = new BlockCache(64 * 1024)
  read(cache, 1, 1, 4000)
  read(cache, 1, 1, 4000)
  read(cache, 2, 1, 4000)
  expect(cache.stats).toEqual({ hits: 1, misses: 2, bytes: 2 * 4096, bytesMax: 64 * 1024, blocks: 2 })
})

test('one long scan does not push out what is used again and again', () => {
  const cache = new BlockCache(100 * 4096)
  const hot = (expectHits: boolean) => {
    for (let block = 0; block < 50; block++) {
      const hit = read(cache, 1, block, 4096)
      if (expectHits) expect(hit).toBe(true)
    }
  }
  hot(false)
  for (let block = 0; block < 1000; block++) {
    if (block % 25 === 0) hot(block > 0)
    read(cache, 2, block, 4096)
  }
  hot(true)
})

test('a block too large for the cache is handed out, not kept', () => {
  const cache = new BlockCache(8 * 4096)
  read(cache, 1, 0, 4096)
  expect(read(cache, 1, 1, 4097)).toBe(false)
  expect(read(cache, 1, 1, 4097)).toBe(false)
  expect(read(cache, 1, 0, 4096)).toBe(true)
})
