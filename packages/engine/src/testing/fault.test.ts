import { describe, expect, test } from 'vitest'
import { CaskadeError } from '../errors.js'
import type { Store, StoreEvent } from '../store.js'
import { type Backend, type BackendOptions, backends } from './backends.js'
import { crashWorkload, storeState, workloadStates } from './crash-workload.js'
import { type Fault, type FaultCall, FaultStorage } from './fault-storage.js'
import { PowerCutStorage } from './power-cut-storage.js'

const workload = crashWorkload(45, 2)
const { states, stepsTo } = workloadStates(workload)
const options: BackendOptions = { segmentBytes: 12 << 10, cacheBytes: 0, retryMs: 1 }
const bytes = (text: string) => new Uint8Array(Buffer.from(text))

/** What a caller was told of a run in which some call failed. */
interface Outcome {
  /** Every error that reached the caller, or the log. */
  errors: CaskadeError[]
  events: StoreEvent[]
  /** The store's state must be one of these: the model with or without each step whose fate is unknown. */
  possible: Set<string>
}

/** Everything thrown must be coded. */
async function coded(action: () => unknown): Promise<CaskadeError | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(CaskadeError)
    return error as CaskadeError
  }
}

type Model = Map<string, string>
const asState = (model: Model) => JSON.stringify([...model].sort(([a], [b]) => (a < b ? -1 : 1)))

/** Runs the workload with faults; the models it may have led to are followed, a failed step having happened or not. */
async function runFaulty({ open }: Backend, storage: FaultStorage): Promise<Outcome> {
  const outcome: Outcome = { errors: [], events: [], possible: new Set() }
  let models: Model[] = [new Map()]
  let store: Store | undefined
  const failed = await coded(async () => {
    store = await open(storage, {
      ...options,
      durability: 'sync',
      onEvent: (event) => outcome.events.push(event),
    })
  })
  if (failed !== undefined) outcome.errors.push(failed)
  if (store !== undefined) {
    for (const { run, apply } of workload) {
      const error = await coded(() => run(store!))
      const after = models.map((model) => {
        const next = new Map(model)
        apply(next)
        return next
      })
      // A step that failed has not happened, or is uncertain.
      if (error !== undefined) outcome.errors.push(error)
      const distinct = new Map(
        (error === undefined ? after : [...models, ...after]).map((model) => [asState(model), model]),
      )
      models = [...distinct.values()]
      const readError = await coded(() => {
        // A read fails, or tells the truth: never “not found” because of an error.
        const found = storeState(store!)
        expect([...distinct.keys()]).toContain(found)
        models = [distinct.get(found)!]
      })
      if (readError !== undefined) outcome.errors.push(readError)
      if (models.length > 64) break
    }
    const closeError = await coded(() => store!.close())
    if (closeError !== undefined) outcome.errors.push(closeError)
  }
  outcome.possible = new Set(models.map(asState))
  return outcome
}

async function countCalls(backend: Backend): Promise<FaultCall[]> {
  const storage = new FaultStorage(new PowerCutStorage({ mapped: false }))
  const calls: FaultCall[] = []
  storage.rule = (call) => {
    calls.push(call)
    return undefined
  }
  const { errors, possible } = await runFaulty(backend, storage)
  expect(errors).toEqual([])
  expect([...possible]).toEqual([states.at(-1)])
  return calls
}

describe.each(backends)('$name', (backend) => {
  /** What background work writes from a full segment. */
  const resultKind = backend.name === 'lsm' ? 'table' : 'hint'

  // Under a mapping nothing is read by calls, so nothing can fail there; not mapped covers all of them.
  describe.each([
    { fault: 'EIO', lasting: false },
    { fault: 'EIO', lasting: true },
    { fault: 'ENOSPC', lasting: false },
    { fault: 'ENOSPC', lasting: true },
    { fault: 'short', lasting: false },
  ] as { fault: Fault; lasting: boolean }[])('$fault, lasting: $lasting', ({ fault, lasting }) => {
    test('at every storage call: nothing wrong, nothing lost, nothing left open', async () => {
      const calls = await countCalls(backend)
      const seed = Number(process.env.CASKADE_SEED ?? 1)
      // Every call of the opening and of the start, then every few: the rest of the workload repeats itself.
      // Bitcask reads record by record.
      const everyRead = backend.name === 'lsm' ? 1 : 11
      for (let n = 1; n <= calls.length; n++) {
        const { operation, path } = calls[n - 1]!
        const every = (lasting ? 13 : 7) * (operation === 'read' ? everyRead : 1)
        if (n > 40 && (n + seed) % every !== 0) continue
        if (fault === 'short' && operation !== 'append' && operation !== 'commit') continue
        const label = `${fault}${lasting ? ' from' : ' at'} call ${n}: ${operation} ${path}`
        const disk = new PowerCutStorage({ mapped: false })
        const storage = new FaultStorage(disk)
        storage.rule = ({ index }) => ((lasting ? index >= n : index === n) ? fault : undefined)
        try {
          const { errors, events, possible } = await runFaulty(backend, storage)
          expect(storage.injected.length, 'the fault was injected').toBeGreaterThan(0)
          const surfaced = errors.length > 0 || events.some(({ level }) => level !== 'info')
          expect(surfaced, 'the error surfaced').toBe(true)
          expect(disk.openFiles, 'files left open').toBe(0)
          // The disk is well again: everything acknowledged is there.
          storage.rule = () => undefined
          disk.makeDirectory('/store')
          const reopened = await backend.open(disk.processCrashClone(), options)
          expect([...possible]).toContain(storeState(reopened))
          await reopened.close()
          const afterPowerCut = await backend.open(disk.crashClone(0, n), options)
          expect(stepsTo.has(storeState(afterPowerCut)) || possible.has(storeState(afterPowerCut))).toBe(true)
          await afterPowerCut.close()
        } catch (error) {
          throw new Error(`${label}: ${(error as Error).message}`, { cause: error })
        }
      }
    })
  })

  async function faulty(more: BackendOptions = {}, mapped = false) {
    const disk = new PowerCutStorage({ mapped })
    const storage = new FaultStorage(disk)
    const events: StoreEvent[] = []
    const store = await backend.open(storage, { ...options, onEvent: (event) => events.push(event), ...more })
    return { disk, storage, events, store }
  }

  describe('a failed sync of the log', () => {
    test('fails every waiting commit as uncertain, for good, and the store is read-only', async () => {
      const { storage, store, disk, events } = await faulty({ durability: 'sync' })
      await store.put(bytes('before'), bytes('1'))
      let fail = true
      storage.rule = ({ operation, kind }) => {
        if (operation !== 'sync' || kind !== 'segment' || !fail) return undefined
        fail = false
        return 'EIO'
      }
      const waiting = Array.from({ length: 5 }, (_, i) => store.put(bytes(`waiting ${i}`), bytes('2')))
      for (const result of await Promise.allSettled(waiting))
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'CASKADE_UNCERTAIN' } })
      expect(storage.injected).toHaveLength(1)
      // The disk would say yes now.
      expect(() => store.putSync(bytes('after'), bytes('3'))).toThrow(
        expect.objectContaining({ code: 'CASKADE_READ_ONLY' }),
      )
      await expect(store.put(bytes('after'), bytes('3'))).rejects.toMatchObject({ code: 'CASKADE_READ_ONLY' })
      await expect(store.delete(bytes('before'))).rejects.toMatchObject({ code: 'CASKADE_READ_ONLY' })
      await expect(store.durable()).rejects.toMatchObject({ code: 'CASKADE_UNCERTAIN' })
      expect(store.stats().readOnlyReason).toContain('EIO')
      expect(events.map(({ name }) => name)).toContain('read-only')
      expect(store.getSync(bytes('before'))).toEqual(Buffer.from('1'))
      await store.close()
      expect(disk.openFiles).toBe(0)
    })

    test('fails a sync that was asked for, where writes wait for none', async () => {
      const { storage, store } = await faulty({ durability: 'os' })
      await store.put(bytes('a'), bytes('1'))
      await store.sync()
      storage.rule = ({ operation, kind }) => (operation === 'sync' && kind === 'segment' ? 'EIO' : undefined)
      await store.put(bytes('b'), bytes('2'))
      await expect(store.sync()).rejects.toMatchObject({ code: 'CASKADE_UNCERTAIN' })
      storage.rule = () => undefined
      await expect(store.sync()).rejects.toMatchObject({ code: 'CASKADE_UNCERTAIN' })
      await expect(store.put(bytes('c'), bytes('3'))).rejects.toMatchObject({ code: 'CASKADE_READ_ONLY' })
      await store.close()
    })

    test('commits that wait for the next sync fail with it', async () => {
      const { storage, store } = await faulty({ durability: 'sync' }, true)
      storage.rule = ({ operation, kind }) => (operation === 'sync' && kind === 'segment' ? 'EIO' : undefined)
      const first = store.put(bytes('a'), bytes('1'))
      const second = store.put(bytes('b'), bytes('2'))
      storage.rule = ({ operation, kind, index }) =>
        operation === 'sync' && kind === 'segment' && index < 100 && storage.injected.length === 0 ? 'EIO' : undefined
      const results = await Promise.allSettled([first, second])
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(storage.injected).toHaveLength(1)
      await store.close()
    })
  })

  describe('a full disk', () => {
    test('refuses writes with its code, serves reads, and writing resumes by itself, again and again', async () => {
      const { storage, store, disk } = await faulty()
      const model = new Map<string, string>()
      for (let round = 0; round < 10; round++) {
        const full = new Set<FaultCall['operation']>(
          round % 2 ? ['createSegment', 'allocate'] : ['createSegment', 'allocate', 'create', 'append'],
        )
        storage.rule = ({ operation }) => (full.has(operation) ? 'ENOSPC' : undefined)
        let refused = 0
        for (let i = 0; i < 60; i++) {
          const value = `round ${round}, ${i} `.repeat(40)
          const error = await coded(() => store.put(bytes(`key ${i}`), bytes(value)))
          if (error === undefined) model.set(`key ${i}`, value)
          else {
            expect(error.code).toBe('CASKADE_DISK_FULL')
            refused++
          }
        }
        expect(refused).toBeGreaterThan(0)
        for (const [key, value] of model) expect(Buffer.from(store.getSync(bytes(key))!).toString()).toBe(value)
        expect([...store.scan()]).toHaveLength(model.size)
        await expect(store.flush()).rejects.toMatchObject({ code: 'CASKADE_DISK_FULL' })
        storage.rule = () => undefined
        await store.put(bytes('key 0'), bytes('resumed'))
        model.set('key 0', 'resumed')
        await store.flush()
        expect(store.stats().details[backend.name === 'lsm' ? 'lsm.memtables' : 'bitcask.unsettledFiles']).toBe(1)
      }
      expect(store.stats().readOnlyReason).toBeUndefined()
      await store.close()
      expect(disk.openFiles).toBe(0)
      const reopened = await backend.open(disk, options)
      expect([...reopened.scan()]).toHaveLength(model.size)
      await reopened.close()
    })

    test('closing does not wait for room', async () => {
      const { storage, store, disk } = await faulty()
      storage.rule = ({ operation, kind }) => (operation === 'create' && kind === resultKind ? 'ENOSPC' : undefined)
      for (let i = 0; i < 100; i++) store.putSync(bytes(`key ${i}`), bytes('value '.repeat(50)))
      await store.close()
      expect(disk.openFiles).toBe(0)
      const reopened = await backend.open(disk, options)
      expect([...reopened.scan()]).toHaveLength(100)
      await reopened.close()
    })
  })

  describe('a failed read', () => {
    test('is an error each time and is not remembered', async () => {
      const { storage, store } = await faulty()
      for (let i = 0; i < 300; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i} `.repeat(10)))
      await store.compactRange()
      storage.rule = ({ operation }) => (operation === 'read' ? 'EIO' : undefined)
      for (let i = 0; i < 300; i += 11) {
        expect(() => store.getSync(bytes(`key ${i}`))).toThrow(expect.objectContaining({ code: 'CASKADE_IO' }))
        await expect(store.get(bytes(`key ${i}`))).rejects.toMatchObject({ code: 'CASKADE_IO' })
      }
      expect(() => [...store.scan()]).toThrow(expect.objectContaining({ code: 'CASKADE_IO' }))
      storage.rule = () => undefined
      for (let i = 0; i < 300; i += 11) expect(store.getSync(bytes(`key ${i}`))).toBeDefined()
      expect([...store.scan()]).toHaveLength(300)
      await store.close()
    })

    test('of flipped bits names file and offset', async () => {
      const { storage, store } = await faulty()
      // A record larger than what is read at first, so that the bit in the middle is one of its own.
      for (let i = 0; i < 300; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i} `.repeat(600)))
      await store.compactRange()
      storage.rule = ({ operation }) => (operation === 'read' ? 'flip' : undefined)
      for (let i = 0; i < 300; i += 11) {
        expect(() => store.getSync(bytes(`key ${i}`))).toThrow(
          expect.objectContaining({
            code: 'CASKADE_CORRUPTION',
            file: expect.stringMatching(/\.(sst|data)$/),
            offset: expect.any(Number),
          }),
        )
      }
      expect(storage.injected.length).toBeGreaterThan(20)
      storage.rule = () => undefined
      for (let i = 0; i < 300; i += 11) expect(store.getSync(bytes(`key ${i}`))).toBeDefined()
      await store.close()
    })
  })
})
