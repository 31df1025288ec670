import { expect, test } from 'vitest'
import { ValueWriter } from './value-codec.js'
import { Verifier } from './verifier.js'

const writer = new ValueWriter(64, true, 1)

function taggedValue(record: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(64)
  writer.write(bytes, 0, record, sequence)
  return bytes
}

const judge = (verifier: Verifier, record: number, floor: number, value: Buffer) =>
  verifier.judge(record, floor, value, 0, value.length)

function written(verifier: Verifier, record: number): number {
  const sequence = verifier.issue(record)
  verifier.acknowledge(record, sequence)
  return sequence
}

test('tells right from wrong, corrupt, stale, lost and foreign', () => {
  const verifier = new Verifier(10)
  written(verifier, 3)
  const sequence = written(verifier, 3)
  const floor = verifier.floor(3)
  expect([sequence, floor]).toEqual([2, 2])
  expect(judge(verifier, 3, floor, taggedValue(3, 2))).toBeUndefined()
  expect(judge(verifier, 3, floor, taggedValue(4, 2))).toBe('wrong-key')
  expect(judge(verifier, 3, floor, taggedValue(3, 1))).toBe('stale')
  expect(judge(verifier, 3, floor, taggedValue(3, 9))).toBe('foreign')
  expect(judge(verifier, 3, floor, taggedValue(3, 2).fill(0, 50))).toBe('corrupt')
  expect(judge(verifier, 3, floor, Buffer.from('hello'))).toBe('corrupt')
  expect(verifier.judgeAbsent(floor)).toBe('lost')
  expect(verifier.judgeAbsent(verifier.floor(4))).toBeUndefined()
})

test('a read that began before the acknowledgement may return what was before', () => {
  const verifier = new Verifier(1)
  written(verifier, 0)
  const floor = verifier.floor(0)
  written(verifier, 0)
  expect(judge(verifier, 0, floor, taggedValue(0, 1))).toBeUndefined()
  expect(judge(verifier, 0, floor, taggedValue(0, 2))).toBeUndefined()
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 1))).toBe('stale')
})

test('writes in flight together may be applied in any order', () => {
  const verifier = new Verifier(1)
  written(verifier, 0)
  const [second, third] = [verifier.issue(0), verifier.issue(0)]
  verifier.acknowledge(0, third)
  verifier.acknowledge(0, second)
  // The server may have applied 3 and then 2; 1 is over in any case.
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, second))).toBeUndefined()
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 1))).toBe('stale')
  const fourth = written(verifier, 0)
  expect(verifier.floor(0)).toBe(fourth)
})

test('a write whose fate is unknown may be read or not', () => {
  const verifier = new Verifier(1)
  written(verifier, 0)
  verifier.abandon(0, verifier.issue(0))
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 1))).toBeUndefined()
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 2))).toBeUndefined()
})

test('a write whose fate is unknown may even be applied after a later one', () => {
  const verifier = new Verifier(1)
  written(verifier, 0)
  verifier.abandon(0, verifier.issue(0))
  expect(written(verifier, 0)).toBe(3)
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 3))).toBeUndefined()
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 2))).toBeUndefined()
  expect(judge(verifier, 0, verifier.floor(0), taggedValue(0, 1))).toBe('stale')
})

test('records beyond the first ones are tracked as they are inserted', () => {
  const verifier = new Verifier(2)
  written(verifier, 5000)
  expect(verifier.records).toBe(5001)
  expect(verifier.sequences().acknowledged[5000]).toBe(1)
  expect(verifier.floor(9999)).toBe(0)
})

test('a scanned value must belong to the key it came with', () => {
  const verifier = new Verifier(10)
  written(verifier, 3)
  const keyOf = (record: number) => `k${record}`
  expect(verifier.judgeScanned('k3', keyOf, taggedValue(3, 1), 0, 64)).toBeUndefined()
  expect(verifier.judgeScanned('k4', keyOf, taggedValue(3, 1), 0, 64)).toBe('wrong-key')
  expect(verifier.judgeScanned('k4', keyOf, taggedValue(4, 1), 0, 64)).toBe('foreign')
})
