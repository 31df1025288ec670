import fc from 'fast-check'
import { compareBytes } from '../bytes.js'
import type { BatchOperation, Entry, KeyRange, ScanOptions, Snapshot, Store } from '../store.js'

/** One step of a random history, as plain data, so that a failing one can be shrunk and read. */
export type Operation =
  | { type: 'put'; key: string; value: string; tag: number; expiresIn: number; stamped: boolean }
  | { type: 'delete'; key: string }
  | { type: 'batch'; operations: { key: string; value: string | undefined }[]; fails: boolean }
  | { type: 'scan'; options: { lower: string; upper: string; open: boolean; reverse: boolean; limit: number } }
  | { type: 'delete-range'; lower: string; upper: string; shape: RangeShape; fails: boolean }
  | { type: 'snapshot' | 'close-snapshot' | 'read-snapshot'; at: number }
  | { type: 'ingest'; records: { key: string; value: string }[] }
  | { type: 'pass'; milliseconds: number }
  | { type: 'flush' | 'compact' | 'compact-part' | 'clear' | 'reopen' }

export type RangeShape = 'between' | 'within' | 'prefix' | 'from' | 'to'

/** What a run has besides the store: its open snapshots, a clock, and how to close and open again. */
export interface Run {
  store: Store
  snapshots: Snapshot[]
  now: number
  reopen(): Promise<void>
}

// Few keys, so that histories meet; lengths around the prefixes and words that comparisons take at once.
const key = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map((i) => `k${i}`),
  fc.integer({ min: 0, max: 8 }).map((i) => 'same start '.repeat(i) + i),
  fc.constantFrom('\0', 'k1\0', '\xff', '\xff\xff', 'x'.repeat(300)),
)
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom('a', 'value ', 'xyz')).map(([n, s]) => s.repeat(n * 20)),
  fc.constant('large '.repeat(2000)),
)

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      value,
      tag: fc.nat(15),
      expiresIn: fc.constantFrom(0, 0, 0, 5, 50),
      stamped: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('batch' as const),
      operations: fc.array(fc.record({ key, value: fc.option(value, { nil: undefined }) }), { maxLength: 20 }),
      fails: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('scan' as const),
      options: fc.record({
        lower: key,
        upper: key,
        open: fc.boolean(),
        reverse: fc.boolean(),
        limit: fc.constantFrom(1, 3, 1000),
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('delete-range' as const),
      lower: key,
      upper: key,
      shape: fc.constantFrom<RangeShape[]>('between', 'within', 'within', 'prefix', 'from', 'to'),
      fails: fc.integer({ min: 0, max: 4 }).map((i) => i === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('snapshot' as const, 'close-snapshot' as const, 'read-snapshot' as const),
      at: fc.nat(100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('ingest' as const),
      records: fc.uniqueArray(fc.record({ key, value }), { maxLength: 12, selector: (record) => record.key }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('pass' as const), milliseconds: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('flush' as const, 'reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('compact' as const, 'compact-part' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const) }) },
)

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
const text = (value: Uint8Array) => Buffer.from(value).toString('latin1')

/** An entry as plain data: equal when everything a store says of the record is. */
export const plain = ({ key, value, sequence, expiresAt, tag, writtenAt }: Entry) =>
  [text(key), text(value), sequence, expiresAt, tag, writtenAt] as const

/** Carries an operation out and returns all that can be seen of it. */
export async function perform(operation: Operation, run: Run): Promise<unknown> {
  const { store } = run
  switch (operation.type) {
    case 'put': {
      const expiresAt = operation.expiresIn && run.now + operation.expiresIn
      const { key, value, tag, stamped } = operation
      return store.put(bytes(key), bytes(value), { tag, expiresAt, writtenAt: stamped ? run.now : 0 })
    }
    case 'delete':
      return store.delete(bytes(operation.key))
    case 'batch':
      return performBatch(operation, store)
    case 'scan': {
      const { lower, upper, open, reverse, limit } = operation.options
      const options: ScanOptions = open
        ? { gt: bytes(lower), lt: bytes(upper), reverse, limit }
        : { gte: bytes(lower), lte: bytes(upper), reverse, limit }
      return [...store.scan(options)].map(plain)
    }
    case 'delete-range':
      return performDeleteRange(operation, store)
    case 'snapshot':
      run.snapshots.push(store.snapshot())
      return run.snapshots.length
    case 'close-snapshot':
      for (const snapshot of run.snapshots.splice(operation.at % (run.snapshots.length + 1), 1)) snapshot.close()
      return undefined
    case 'read-snapshot': {
      const snapshot = run.snapshots[operation.at % run.snapshots.length]
      return snapshot && everythingAt(store, snapshot)
    }
    case 'ingest': {
      const records = operation.records.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) }))
      return store.ingest(records.sort((a, b) => Buffer.compare(a.key, b.key)))
    }
    case 'pass':
      run.now += operation.milliseconds
      return undefined
    case 'flush':
      return store.flush()
    case 'compact':
      return store.compactRange()
    case 'compact-part':
      return store.compactRange({ gte: bytes('k2'), lt: bytes('same') })
    case 'clear':
      return store.clear()
    case 'reopen':
      run.snapshots.length = 0
      return run.reopen()
  }
}

function performBatch({ operations, fails }: Operation & { type: 'batch' }, store: Store): number | string {
  const batch = operations.map(
    ({ key, value }): BatchOperation =>
      value === undefined ? { type: 'delete', key: bytes(key) } : { type: 'put', key: bytes(key), value: bytes(value) },
  )
  if (!fails) return store.writeSync(batch)
  try {
    return store.atomic(() => {
      store.writeSync(batch)
      throw new Error('taken back')
    })
  } catch (error) {
    return (error as Error).message
  }
}

function performDeleteRange(
  { lower, upper, shape, fails }: Operation & { type: 'delete-range' },
  store: Store,
): number | string {
  const [least, greatest] = [bytes(lower), bytes(upper)].sort(compareBytes) as [Uint8Array, Uint8Array]
  const ranges: Record<RangeShape, KeyRange> = {
    between: { gt: least, lte: greatest },
    within: { gte: least, lt: greatest },
    prefix: { prefix: bytes(lower) },
    from: { gte: bytes(lower) },
    to: { lt: bytes(lower) },
  }
  if (!fails) return store.deleteRangeSync(ranges[shape])
  try {
    return store.atomic(() => {
      store.putSync(bytes(lower), bytes('taken back'))
      store.deleteRangeSync(ranges[shape])
      throw new Error('taken back')
    })
  } catch (error) {
    return (error as Error).message
  }
}

async function everythingAt(store: Store, snapshot: Snapshot): Promise<unknown> {
  const entries = [...store.scan({ snapshot })]
  const keys = entries.map((entry) => entry.key)
  return {
    sequence: snapshot.sequence,
    entries: entries.map(plain),
    reverse: [...store.scan({ snapshot, reverse: true, limit: 5 })].map(plain),
    each: keys.map((each) => {
      const found = store.getEntry(each, { snapshot })
      return found && plain(found)
    }),
    values: (await store.getMany([...keys, bytes('k1'), bytes('k2')], { snapshot })).map(
      (found) => found && text(found),
    ),
  }
}

/** Everything in the store, by every way of reading. */
export async function everything(store: Store): Promise<unknown> {
  const entries = [...store.scan()]
  const keys = entries.map((entry) => entry.key)
  return {
    sequence: store.stats().sequence,
    entries: entries.map(plain),
    reverse: [...store.scan({ reverse: true })].map(plain),
    values: (await store.getMany(keys)).map((found) => found && text(found)),
    each: keys.map((each) => {
      const found = store.getEntry(each)
      return found && plain(found)
    }),
  }
}
