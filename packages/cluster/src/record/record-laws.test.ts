import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actorOf } from '../causality/actor.js'
import { HybridClock } from '../causality/hybrid-clock.js'
import { decodeContext } from './context-format.js'
import { mergeByRule } from './merge-policy.js'
import { compareRecords, mergeRecords, sameBytes } from './merge-records.js'
import { type Mint, mintRecord } from './mint-record.js'
import { contextOf } from './read-record.js'
import { checkRecord, decodeRecord, encodeRecord } from './record-format.js'
import { winnerOf } from './record-state.js'
import type { Resolution } from './resolution.js'

/** What a client does at a replica, or a replica to another. Numbers are taken modulo what there is. */
type Step =
  /** Reads at `reader`, then writes at `replica` with that context; `blind`: without one. */
  | { type: 'write'; replica: number; reader: number; blind: boolean; tombstone: boolean; wallMs: number }
  | { type: 'merge'; replica: number; from: number }
  /** The replica takes a new minting epoch, as after a loss. */
  | { type: 'epoch'; replica: number }
  /** The same request as an earlier write, minted at this replica. */
  | { type: 'retry'; replica: number; write: number; wallMs: number }

const replicas = 4
const replica = fc.nat(replicas - 1)
const wallMs = fc.integer({ min: 1000, max: 1010 })
const write = fc.record({
  type: fc.constant('write' as const),
  replica,
  reader: replica,
  blind: fc.boolean(),
  tombstone: fc.boolean(),
  wallMs,
})
const merge = fc.record({ type: fc.constant('merge' as const), replica, from: replica })
const epoch = fc.record({ type: fc.constant('epoch' as const), replica })
const retry = fc.record({ type: fc.constant('retry' as const), replica, write: fc.nat(5), wallMs })
const steps = fc.array(
  fc.oneof({ weight: 5, arbitrary: write }, { weight: 5, arbitrary: merge }, { weight: 1, arbitrary: epoch }),
  { maxLength: 30 },
)
const stepsWithRetries = fc.array(
  fc.oneof({ weight: 4, arbitrary: write }, { weight: 4, arbitrary: merge }, { weight: 2, arbitrary: retry }),
  { maxLength: 30 },
)

/** The oracle: what is known and what was overwritten, as sets of write numbers. */
interface Knowledge {
  known: ReadonlySet<number>
  overwritten: ReadonlySet<number>
}
const nothing: Knowledge = { known: new Set(), overwritten: new Set() }
const union = (a: Knowledge, b: Knowledge): Knowledge => ({
  known: new Set([...a.known, ...b.known]),
  overwritten: new Set([...a.overwritten, ...b.overwritten]),
})

interface Replica extends Knowledge {
  record: Uint8Array | undefined
  mint: Mint
  epoch: number
}

/** One key on several replicas, beside the oracle. Each write's value is its number. */
class KeyWorld {
  readonly replicas: Replica[]
  /** Every record there has ever been. */
  readonly records: Uint8Array[] = []
  /** Dots that were minted, by actor and counter. */
  readonly dots: string[] = []
  /** By write number. */
  readonly stamps: [number, number, number][] = []
  readonly #requests: { context: Uint8Array | undefined; value: Uint8Array; seen: Knowledge }[] = []
  readonly #resolution: Resolution

  constructor(resolution: Resolution) {
    this.#resolution = resolution
    this.replicas = Array.from({ length: replicas }, (_, i) => ({
      ...nothing,
      record: undefined,
      epoch: 0,
      mint: {
        actor: actorOf(i + 1, 0),
        clock: new HybridClock(60_000),
        resolution,
        counters: { lwwLosses: 0, siblingOverflows: 0 },
      },
    }))
  }

  run(all: readonly Step[]): this {
    for (const step of all) this.#step(step)
    return this
  }

  /** Every replica hears of every other, until all say the same. Returns the rounds it took. */
  exchange(): number {
    for (let round = 1; round <= 10; round++) {
      for (let i = 0; i < replicas; i++) for (let j = 0; j < replicas; j++) this.#merge(i, j)
      if (this.replicas.every(({ record }) => same(record, this.replicas[0]!.record))) return round
    }
    return Number.POSITIVE_INFINITY
  }

  #step(step: Step): void {
    const at = this.replicas[step.replica]!
    if (step.type === 'merge') this.#merge(step.replica, step.from)
    else if (step.type === 'epoch') at.mint = { ...at.mint, actor: actorOf(step.replica + 1, ++at.epoch) }
    else if (step.type === 'retry') {
      const request = this.#requests[step.write]
      if (request !== undefined) this.#write(at, step.write, request, false, step.wallMs)
    } else {
      const reader = this.replicas[step.reader]!
      const seen = step.blind || reader.record === undefined ? nothing : reader
      const context = seen === nothing ? undefined : contextOf(reader.record!)
      const number = this.#requests.length
      const value = step.tombstone ? new Uint8Array() : Uint8Array.of(number)
      this.#requests.push({ context, value, seen: { known: seen.known, overwritten: seen.overwritten } })
      this.#write(at, number, this.#requests[number]!, step.tombstone, step.wallMs)
    }
  }

  #write(
    at: Replica,
    number: number,
    { context, value, seen }: { context: Uint8Array | undefined; value: Uint8Array; seen: Knowledge },
    tombstone: boolean,
    wallMs: number,
  ): void {
    const before = at.record
    const request = { value, tombstone, expiresAt: 0, requestHigh: 0, requestLow: number + 1 }
    at.record = mintRecord(before, context, request, at.mint, wallMs)
    if (at.record === before) return
    this.records.push(at.record)
    const { siblings } = decodeRecord(at.record)
    const mine = siblings.find(({ requestLow, actor }) => requestLow === number + 1 && actor === at.mint.actor)
    // The bound may have dropped it at once.
    if (mine !== undefined) {
      this.dots.push(`${mine.actor}.${mine.counter}`)
      this.stamps[number] = [mine.stampMs, mine.stampLogical, mine.actor]
    }
    const lww = this.#resolution.rule === 'lww'
    const overwrites = lww ? new Set([...at.known, ...seen.known]) : seen.known
    const all = union(at, seen)
    at.known = new Set([...all.known, number])
    at.overwritten = new Set([...all.overwritten, ...overwrites])
  }

  #merge(i: number, j: number): void {
    const to = this.replicas[i]!
    const from = this.replicas[j]!
    if (from.record === undefined) return
    to.record =
      to.record === undefined ? from.record : mergeRecords(to.record, from.record, this.#resolution, to.mint.counters)
    this.records.push(to.record)
    const all = union(to, from)
    to.known = all.known
    to.overwritten = all.overwritten
  }
}

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === b || (a !== undefined && b !== undefined && sameBytes(a, b))

const writesIn = (record: Uint8Array) =>
  decodeRecord(record)
    .siblings.map(({ requestLow }) => requestLow - 1)
    .sort((a, b) => a - b)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const keepAll: Resolution = { rule: 'siblings', siblingsMax: 255 }
const rules: [string, Resolution][] = [
  ['siblings', keepAll],
  ['lww', { rule: 'lww' }],
]

describe.each(rules)('%s', (_, resolution) => {
  const join = (a: Uint8Array, b: Uint8Array) => mergeRecords(a, b, resolution)
  /** Any three records that replicas may hold, however old. */
  const threeRecords = fc
    .tuple(steps, fc.nat(), fc.nat(), fc.nat())
    .map(([script, ...picks]) => ({ records: new KeyWorld(resolution).run(script).records, picks }))
    .filter(({ records }) => records.length > 0)
    .map(
      ({ records, picks }) =>
        picks.map((pick) => records[pick % records.length]!) as [Uint8Array, Uint8Array, Uint8Array],
    )

  test('merge is associative, commutative and idempotent', () => {
    fc.assert(
      fc.property(threeRecords, ([a, b, c]) => {
        expect(hex(join(join(a, b), c))).toBe(hex(join(a, join(b, c))))
        expect(hex(join(a, b))).toBe(hex(join(b, a)))
        expect(join(a, a)).toBe(a)
        expect(hex(join(join(a, b), b))).toBe(hex(join(a, b)))
      }),
      { numRuns: 300 },
    )
  })

  test('a merge descends from both, and is one of them itself when that knows all', () => {
    fc.assert(
      fc.property(threeRecords, ([a, b]) => {
        const merged = join(a, b)
        for (const part of [a, b]) {
          expect(['equal', 'newer']).toContain(compareRecords(merged, part))
          if (sameBytes(merged, part)) expect(merged === a || merged === b).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the fast path gives what the rule gives, and bytes are canonical', () => {
    fc.assert(
      fc.property(threeRecords, ([a, b]) => {
        const merged = join(a, b)
        checkRecord(merged)
        expect(hex(merged)).toBe(hex(encodeRecord(mergeByRule(decodeRecord(a), decodeRecord(b), resolution))))
        expect(hex(encodeRecord(decodeRecord(merged)))).toBe(hex(merged))
      }),
      { numRuns: 300 },
    )
  })

  test('older, newer and concurrent are a partial order', () => {
    const mirrored = { equal: 'equal', older: 'newer', newer: 'older', concurrent: 'concurrent' }
    fc.assert(
      fc.property(threeRecords, ([a, b, c]) => {
        expect(compareRecords(a, a)).toBe('equal')
        expect(compareRecords(b, a)).toBe(mirrored[compareRecords(a, b)])
        if (compareRecords(a, b) === 'newer' && compareRecords(b, c) === 'newer')
          expect(compareRecords(a, c)).toBe('newer')
      }),
      { numRuns: 300 },
    )
  })

  test('a dot is never minted twice', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const { dots } = new KeyWorld(resolution).run(script)
        expect(new Set(dots).size).toBe(dots.length)
      }),
    )
  })

  test('the history of a context is that of the record', () => {
    fc.assert(
      fc.property(threeRecords, ([record]) => {
        const { history, stampMs, stampLogical } = decodeContext(contextOf(record))
        const state = decodeRecord(record)
        expect(history).toEqual(state.history)
        expect({ stampMs, stampLogical }).toMatchObject({
          stampMs: winnerOf(state.siblings).stampMs,
          stampLogical: winnerOf(state.siblings).stampLogical,
        })
      }),
    )
  })
})

test('siblings: what is left is exactly what no known write has seen', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const world = new KeyWorld(keepAll).run(script)
      for (const { record, known, overwritten } of world.replicas) {
        if (record === undefined) continue
        expect(writesIn(record)).toEqual([...known].filter((each) => !overwritten.has(each)).sort((a, b) => a - b))
      }
      world.exchange()
      expect(world.replicas.every(({ record }) => same(record, world.replicas[0]!.record))).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('lww: the winner is the latest stamp of all that is known, and never something it overwrote', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const world = new KeyWorld({ rule: 'lww' }).run(script)
      for (const { record, known, overwritten } of world.replicas) {
        if (record === undefined) continue
        const [winner] = writesIn(record)
        const latest = [...known].reduce((a, b) => (compareTriples(world.stamps[b]!, world.stamps[a]!) > 0 ? b : a))
        expect(winner).toBe(latest)
        expect(overwritten.has(winner!)).toBe(false)
      }
    }),
    { numRuns: 500 },
  )
})

const compareTriples = (a: readonly number[], b: readonly number[]) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!

test('with retries and a bound, replicas that exchange what they have agree, on something', () => {
  fc.assert(
    fc.property(stepsWithRetries, fc.integer({ min: 1, max: 3 }), (script, siblingsMax) => {
      const world = new KeyWorld({ rule: 'siblings', siblingsMax }).run(script)
      if (world.replicas.every(({ record }) => record === undefined)) return
      expect(world.exchange()).toBeLessThan(4)
      const { siblings } = decodeRecord(world.replicas[0]!.record!)
      expect(siblings.length).toBeGreaterThan(0)
      expect(siblings.length).toBeLessThanOrEqual(siblingsMax)
      expect(new Set(siblings.map(({ requestLow }) => requestLow)).size, 'one sibling per request').toBe(
        siblings.length,
      )
    }),
    { numRuns: 500 },
  )
})
