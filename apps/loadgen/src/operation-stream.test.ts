import { expect, test } from 'vitest'
import { planChooser } from './key-chooser.js'
import { type OperationStream, RunStream, SweepStream } from './operation-stream.js'
import { insertOperation, operationNames, scanOperation, workloadNamed, workloads } from './workload.js'

const records = 1000
const connections = 4

function streamOf(name: string, seed: number, index: number, readBatch = 1): RunStream {
  const workload = workloadNamed(name)!
  const plan = planChooser(workload.distribution, records, records * 2, { records: 0.2, operations: 0.8 })
  return new RunStream(workload, plan, seed, { index, connections }, readBatch)
}

function take(stream: OperationStream, count: number): string[] {
  return Array.from({ length: count }, () => {
    stream.next()
    return `${stream.kind} ${stream.records.slice(0, stream.count).join(',')} ${stream.kind === scanOperation ? stream.scanLength : ''}`
  })
}

test.each(workloads.map(({ name }) => name))('workload %s: the same seed gives the same operations', (name) => {
  expect(take(streamOf(name, 1, 2), 2000)).toEqual(take(streamOf(name, 1, 2), 2000))
  expect(take(streamOf(name, 1, 2), 200)).not.toEqual(take(streamOf(name, 2, 2), 200))
  expect(take(streamOf(name, 1, 2), 200)).not.toEqual(take(streamOf(name, 1, 3), 200))
})

test.each(workloads.map((workload) => [workload.name, workload] as const))(
  'workload %s: kinds in their proportions',
  (name, workload) => {
    const stream = streamOf(name, 9, 0)
    const counts = operationNames.map(() => 0)
    for (let i = 0; i < 50_000; i++) {
      stream.next()
      counts[stream.kind]!++
    }
    for (const [kind, proportion] of workload.proportions.entries()) {
      expect(Math.abs(counts[kind]! - 50_000 * proportion)).toBeLessThanOrEqual(
        5 * Math.sqrt(50_000 * proportion * (1 - proportion)),
      )
    }
  },
)

test('inserts of different connections never meet, and only own inserts are read', () => {
  const inserted = new Set<number>()
  for (let index = 0; index < connections; index++) {
    const stream = streamOf('d', 5, index)
    const own = new Set<number>()
    for (let i = 0; i < 5000; i++) {
      stream.next()
      const record = stream.records[0]!
      if (stream.kind === insertOperation) {
        expect(inserted.has(record)).toBe(false)
        inserted.add(record)
        own.add(record)
      } else expect(record < records || own.has(record)).toBe(true)
    }
  }
})

test('scans ask for 1 to 100 records, reads for as many as the batch', () => {
  const stream = streamOf('e', 1, 0)
  const lengths = new Set<number>()
  for (let i = 0; i < 20_000; i++) {
    stream.next()
    if (stream.kind === scanOperation) lengths.add(stream.scanLength)
  }
  expect([Math.min(...lengths), Math.max(...lengths), lengths.size]).toEqual([1, 100, 100])
  const batched = streamOf('c', 1, 0, 7)
  batched.next()
  expect(batched.count).toBe(7)
})

test('a sweep visits every record once', () => {
  const seen: number[] = []
  for (let index = 0; index < connections; index++) {
    const place = { index, connections }
    const sweep = new SweepStream(insertOperation, place)
    for (let i = SweepStream.share(10, place); i > 0; i--) {
      sweep.next()
      seen.push(sweep.records[0]!)
    }
  }
  expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})
