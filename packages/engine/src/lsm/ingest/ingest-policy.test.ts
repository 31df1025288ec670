import { describe, expect, test } from 'vitest'
import { spanOf } from '../compaction/table-span.js'
import { ingestLevel } from './ingest-policy.js'

const span = (from: string, to: string) => ({ smallestKey: Buffer.from(from), largestKey: Buffer.from(to) })
const empty = [[], [], [], []]

describe('the level of an ingested table', () => {
  test('is the last one, where nothing is in the way', () => {
    expect(ingestLevel(span('c', 'f'), empty, undefined)).toBe(3)
    expect(ingestLevel(span('c', 'f'), [[span('a', 'b')], [span('g', 'z')], [], [span('a', 'bz')]], undefined)).toBe(3)
  })

  test('is above the first level that overlaps, however little', () => {
    expect(ingestLevel(span('c', 'f'), [[], [], [], [span('f', 'g')]], undefined)).toBe(2)
    expect(ingestLevel(span('c', 'f'), [[], [], [span('a', 'c')], []], undefined)).toBe(1)
    expect(ingestLevel(span('c', 'f'), [[], [span('d', 'e')], [], []], undefined)).toBe(0)
    expect(ingestLevel(span('c', 'f'), [[span('a', 'z')], [], [], []], undefined)).toBe(0)
  })

  test('is not the one that a running compaction writes to across it', () => {
    const running = { span: spanOf(span('a', 'z')), outputLevel: 3 }
    const levels = [[span('a', 'b'), span('x', 'z')], [], [], []]
    expect(ingestLevel(span('c', 'f'), levels, running)).toBe(2)
    expect(ingestLevel(span('c', 'f'), levels, { ...running, outputLevel: 1 })).toBe(3)
    expect(ingestLevel(span('c', 'f'), levels, { span: spanOf(span('x', 'z')), outputLevel: 3 })).toBe(3)
  })
})
