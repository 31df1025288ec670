import { expect, test } from 'vitest'
import { openInline, storeDirectory } from './inline-store.js'
import { PowerCutStorage } from './power-cut-storage.js'

test('the log of a process that died is removed once it is flushed', async () => {
  const storage = new PowerCutStorage({ mapped: true })
  const dead = await openInline(storage)
  for (let i = 0; i < 50; i++) dead.putSync(Buffer.from(`key ${i}`), Buffer.alloc(100))
  const disk = storage.processCrashClone()
  const store = await openInline(disk)
  await store.flush()
  await store.close()
  expect(disk.list(storeDirectory).filter((name) => name.endsWith('.log'))).toEqual([])
})

test.each([true, false])(
  'a log that was recovered, and sealed on disk, verifies before it is flushed, mapped %s',
  async (mapped) => {
    const storage = new PowerCutStorage({ mapped })
    const dead = await openInline(storage)
    for (let i = 0; i < 50; i++) dead.putSync(Buffer.from(`key ${i}`), Buffer.alloc(100))
    const disk = storage.processCrashClone()
    const waiting: (() => void)[] = []
    let held = true
    const later = (run: () => void) => {
      if (held) waiting.push(run)
      else queueMicrotask(run)
    }
    const store = await openInline(disk, {}, later)
    expect(await store.verify()).toMatchObject({ records: 50, errors: [] })
    held = false
    waiting.forEach(queueMicrotask)
    await store.close()
  },
)
