import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareStamps, HybridClock, logicalMax, stampMsMax } from './hybrid-clock.js'

test('stamps follow the wall clock, and go on when it stands or goes back', () => {
  const clock = new HybridClock(1000)
  const stamps = [100, 100, 101, 50, 50, 102].map((wallMs) => {
    clock.tick(wallMs)
    return [clock.stampMs, clock.stampLogical]
  })
  expect(stamps).toEqual([
    [100, 0],
    [100, 1],
    [101, 0],
    [101, 1],
    [101, 2],
    [102, 0],
  ])
})

test('a full logical part borrows the next millisecond', () => {
  const clock = new HybridClock(1000)
  clock.tick(100, 100, logicalMax)
  expect([clock.stampMs, clock.stampLogical]).toEqual([101, 0])
})

test('every stamp is later than all before it and all that were observed', () => {
  const step = fc.record({
    wallMs: fc.nat(50),
    seen: fc.option(fc.record({ ms: fc.nat(60), logical: fc.nat(logicalMax) })),
  })
  fc.assert(
    fc.property(fc.array(step), (all) => {
      const clock = new HybridClock(100)
      let last = { ms: -1, logical: 0 }
      for (const { wallMs, seen } of all) {
        if (seen !== null) {
          expect(clock.observe(seen.ms, seen.logical, wallMs)).toBe(true)
          if (compareStamps(seen.ms, seen.logical, last.ms, last.logical) > 0) last = seen
        }
        clock.tick(wallMs)
        expect(compareStamps(clock.stampMs, clock.stampLogical, last.ms, last.logical)).toBeGreaterThan(0)
        last = { ms: clock.stampMs, logical: clock.stampLogical }
      }
    }),
  )
})

test('a stamp beyond the skew bound is refused and counted, and does not move the clock', () => {
  const clock = new HybridClock(500)
  expect(clock.observe(1500, 0, 1000)).toBe(true)
  expect(clock.observe(1501, 0, 1000)).toBe(false)
  expect(clock).toMatchObject({ ms: 1500, refused: 1 })
})

test('what is replaced is followed even if it is beyond the bound, and the clock stays', () => {
  const clock = new HybridClock(500)
  const after = (ms: number, logical: number) => {
    clock.tick(1000, ms, logical)
    return [clock.stampMs, clock.stampLogical]
  }
  expect(after(9000, 7)).toEqual([9000, 8])
  expect(after(9000, logicalMax)).toEqual([9001, 0])
  expect(after(stampMsMax, logicalMax), 'the end of time').toEqual([stampMsMax, logicalMax])
  expect(clock).toMatchObject({ ms: 1000, logical: 2, refused: 3 })
  expect(after(1400, 0)).toEqual([1400, 1])
})
