import { expect, test } from 'vitest'
import type { BitcaskOptions } from '../bitcask/bitcask-store.js'
import type { StoreEvent } from '../store.js'
import { FaultStorage } from './fault-storage.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

async function faulty(options: Partial<BitcaskOptions> = {}) {
  const disk = new PowerCutStorage({ mapped: false })
  const storage = new FaultStorage(disk)
  const events: StoreEvent[] = []
  const store = await openInlineBitcask(storage, { onEvent: (event) => events.push(event), ...options })
  return { disk, storage, events, store }
}

test('a batch is taken back whole though nothing can be read', async () => {
  const { disk, storage, store } = await faulty()
  for (const key of ['a', 'b', 'c']) store.putSync(bytes(key), bytes(`old ${key}`))
  await store.flush()
  expect(() =>
    store.atomic(() => {
      store.putSync(bytes('a'), bytes('new'))
      store.deleteSync(bytes('b'))
      storage.rule = ({ operation }) => (operation === 'read' ? 'EIO' : undefined)
      store.putSync(bytes('c'), bytes('new'))
    }),
  ).toThrow(expect.objectContaining({ code: 'CASKADE_IO' }))
  storage.rule = () => undefined
  store.putSync(bytes('d'), bytes('after'))
  const content = (from: typeof store) =>
    Object.fromEntries([...from.scan()].map(({ key, value }) => [Buffer.from(key), Buffer.from(value).toString()]))
  const expected = { a: 'old a', b: 'old b', c: 'old c', d: 'after' }
  expect(content(store)).toEqual(expected)
  await store.close()
  const reopened = await openInlineBitcask(disk)
  expect(content(reopened)).toEqual(expected)
  await reopened.close()
})

test('a compaction that is under way when the store fails ends with the failure', async () => {
  const steps: (() => void)[] = []
  const { disk, storage, store } = await faulty({ later: (run) => steps.push(run) })
  for (let i = 0; i < 30; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
  await store.flush()
  for (const step of steps.splice(0)) step()
  const compaction = store.compactRange()
  while (steps.length === 0) await null
  // Its first step is due, when another file cannot be settled.
  storage.rule = ({ operation, kind }) => (operation === 'create' && kind === 'hint' ? 'EIO' : undefined)
  store.putSync(bytes('key 7'), bytes('new'))
  await expect(store.flush()).rejects.toMatchObject({ code: 'CASKADE_IO' })
  for (const step of steps.splice(0)) step()
  await expect(compaction).rejects.toMatchObject({ code: 'CASKADE_IO' })
  expect(store.getSync(bytes('key 7'))).toEqual(Buffer.from('new'))
  await store.close()
  expect(disk.openFiles).toBe(0)
})

test('a merge that fails at the header of its output leaves nothing open', async () => {
  const { disk, storage, store } = await faulty()
  for (let i = 0; i < 30; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
  await store.flush()
  storage.rule = ({ operation, kind }) => (operation === 'commit' && kind === 'data' ? 'EIO' : undefined)
  await expect(store.compactRange()).rejects.toMatchObject({ code: 'CASKADE_IO' })
  expect(storage.injected).toHaveLength(1)
  await store.close()
  expect(disk.openFiles).toBe(0)
})

test('a file that cannot be removed while the store closes is told of', async () => {
  const { disk, storage, events, store } = await faulty()
  store.putSync(bytes('key'), bytes('value'))
  await store.flush()
  storage.rule = ({ operation, kind }) => (operation === 'remove' && kind === 'segment' ? 'EIO' : undefined)
  await store.close()
  expect(storage.injected).toHaveLength(1)
  expect(events).toContainEqual(expect.objectContaining({ level: 'warn', name: 'close-failed' }))
  expect(disk.openFiles).toBe(0)
  const reopened = await openInlineBitcask(disk)
  expect(reopened.getSync(bytes('key'))).toEqual(Buffer.from('value'))
  await reopened.close()
})

test.each(['a merge', 'a file being settled'])(
  '%s that fails after clear has made it pointless is told of',
  async (work) => {
    const steps: (() => void)[] = []
    const run = () => {
      for (const step of steps.splice(0)) step()
    }
    const disk = new PowerCutStorage({ mapped: false })
    const storage = new FaultStorage(disk)
    const events: StoreEvent[] = []
    const onEvent = (event: StoreEvent) => events.push(event)
    const store = await openInlineBitcask(storage, { onEvent, later: (step) => steps.push(step) }, (step) =>
      steps.push(step),
    )
    for (let i = 0; i < 30; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
    const flushed = store.flush()
    if (work === 'a merge') {
      run()
      await flushed
      run()
      store.compactRange().catch(() => {})
      while (steps.length === 0) await null
      run()
    }
    const cleared = store.clear()
    storage.rule = ({ operation }) => (operation === 'sync' ? 'EIO' : undefined)
    run()
    storage.rule = () => undefined
    expect(storage.injected).toHaveLength(1)
    await cleared
    expect(events).toContainEqual(expect.objectContaining({ level: 'warn', name: 'cleared-work-failed' }))
    store.putSync(bytes('key'), bytes('after'))
    expect([...store.scan()].map(({ key }) => Buffer.from(key).toString())).toEqual(['key'])
    const closed = store.close().then(() => true)
    while (!(await Promise.race([closed, new Promise((resolve) => setImmediate(resolve, false))]))) run()
    expect(disk.openFiles).toBe(0)
  },
)
