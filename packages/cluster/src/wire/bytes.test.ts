import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader } from './byte-reader.js'
import { ByteWriter } from './byte-writer.js'
import { MalformedFrameError } from './malformed-frame-error.js'

test('what is written is read, whatever the buffer had to grow', () => {
  const u53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  const bytes = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(255), fc.nat(65535), fc.nat(), u53, bytes)), (rows) => {
      const writer = new ByteWriter(1)
      for (const [a, b, c, d, e] of rows) {
        writer.u8(a)
        writer.u16(b)
        writer.u32(c)
        writer.u53(d)
        writer.shortBytes(e)
        writer.longBytes(e)
      }
      const reader = new ByteReader()
      reader.reset(writer.copy())
      for (const [a, b, c, d, e] of rows) {
        expect([reader.u8(), reader.u16(), reader.u32(), reader.u53()]).toEqual([a, b, c, d])
        expect([...reader.shortBytes()]).toEqual([...e])
        expect([...reader.longBytes()]).toEqual([...e])
      }
      reader.expectEnd()
    }),
    { numRuns: 50 },
  )
})

test('a length beyond the end is refused before anything is made of it', () => {
  const reader = new ByteReader()
  reader.reset(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1))
  expect(() => reader.longBytes()).toThrow(MalformedFrameError)
  reader.reset(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
  expect(() => reader.u53()).toThrow(/2\^53/)
  reader.reset(Uint8Array.of(1, 2))
  reader.u8()
  expect(() => reader.expectEnd()).toThrow(/1 bytes too many/)
})
