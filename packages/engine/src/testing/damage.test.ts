import { describe, expect, test } from 'vitest'
import { viewOf } from '../bytes.js'
import { CaskadeError, CorruptionError } from '../errors.js'
import { filterAlignment, footerBytes } from '../lsm/table/table-format.js'
import type { Store, StoreEvent } from '../store.js'
import { type Backend, backends, lsm } from './backends.js'
import { bytes, copyOf, type Intact, makeIntact, options, usedBytes } from './intact-store.js'
import { PowerCutStorage } from './power-cut-storage.js'
import { SeededRandom } from './seeded-random.js'

const seed = Number(process.env.CASKADE_SEED ?? 1)

type Verdict = 'refused' | 'read error' | 'clean' | 'older'

/**
 * Opens and reads everything: each value is right, or the error is coded and names a place. `older`: the store is as it was
 * at an earlier moment, and says so.
 */
async function judge({ open }: Backend, disk: PowerCutStorage, intact: Intact): Promise<Verdict> {
  const events: StoreEvent[] = []
  const named = (error: unknown) => {
    expect(error, String((error as Error).stack)).toBeInstanceOf(CaskadeError)
    if (error instanceof CorruptionError) {
      expect(error.file).toMatch(/^\/store\//)
      expect(error.offset).toBeGreaterThanOrEqual(0)
    } else expect((error as CaskadeError).code).toMatch(/CASKADE_(IO|NEWER_FORMAT|READ_ONLY)/)
  }
  let store: Store
  try {
    store = await open(disk, { ...options, onEvent: (event) => events.push(event) })
  } catch (error) {
    named(error)
    expect(disk.openFiles, 'files left open').toBe(0)
    return 'refused'
  }
  let verdict: Verdict = 'clean'
  for (const [key, value] of intact.model) {
    let found: string | undefined
    try {
      const read = store.getSync(bytes(key))
      found = read && Buffer.from(read).toString()
    } catch (error) {
      named(error)
      verdict = 'read error'
      continue
    }
    if (found === value) continue
    expect(found === undefined || intact.history.get(key)!.has(found), `${key} is ${found}`).toBe(true)
    verdict = 'older'
  }
  if (verdict === 'older') expect(events.map(({ name }) => name)).toContain('tail-cut')
  try {
    for (const { key, value } of store.scan())
      expect(intact.history.get(Buffer.from(key).toString())?.has(Buffer.from(value).toString())).toBe(true)
  } catch (error) {
    named(error)
  }
  await store.close().catch(named)
  return verdict
}

const cases = backends.flatMap((backend) => [true, false].map((mapped) => ({ name: backend.name, backend, mapped })))

describe.each(cases)('$name, mapped $mapped', ({ backend, mapped }) => {
  const isLsm = backend === lsm
  /** Only speeds up the opening: where it is missing or not believed, the data says the same. */
  const isHint = (name: string) => name.endsWith('.hint')

  test('the store to damage has every kind of file', async () => {
    const intact = await makeIntact(backend, mapped)
    const kinds = [...intact.files.keys()].map((name) => name.replace(/[0-9]+/, ''))
    expect(new Set(kinds)).toEqual(
      new Set(['CURRENT', 'MANIFEST-', '.log', ...(isLsm ? ['.sst'] : ['.data', '.hint'])]),
    )
    expect(kinds.filter((kind) => kind === '.log').length).toBeGreaterThanOrEqual(2)
    expect(await judge(backend, copyOf(intact), intact)).toBe('clean')
  })

  test('a flipped bit anywhere: never a wrong value, always a coded error or a right answer', async () => {
    const intact = await makeIntact(backend, mapped)
    const random = new SeededRandom(seed)
    const verdicts: Record<Verdict, number> = { refused: 0, 'read error': 0, clean: 0, older: 0 }
    for (const [name, content] of intact.files) {
      const used = usedBytes(content)
      const every = /^\d/.test(name) ? 23 : 1
      for (let at = random.below(every); at < used; at += 1 + random.below(2 * every - 1)) {
        const disk = copyOf(intact)
        const bit = random.below(8)
        disk.contentOf(`/store/${name}`)[at]! ^= 1 << bit
        try {
          const verdict = await judge(backend, disk, intact)
          expect(verdict).not.toBe('older')
          verdicts[verdict]++
        } catch (error) {
          throw new Error(`${name}, byte ${at}, bit ${bit}, seed ${seed}: ${(error as Error).message}`, {
            cause: error,
          })
        }
      }
    }
    expect(verdicts.refused).toBeGreaterThan(50)
    expect(verdicts['read error']).toBeGreaterThan(10)
  })

  test('files cut short at any length: refused, or the log as a crash may leave it', async () => {
    const intact = await makeIntact(backend, mapped)
    const random = new SeededRandom(seed)
    for (const [name, content] of intact.files) {
      const used = usedBytes(content)
      const lengths = new Set([0, 1, 31, 32, 4095, 4096, 4097, used - 1, used - 100])
      for (let i = 0; i < 25; i++) lengths.add(random.below(used))
      for (const length of lengths) {
        if (length < 0 || length >= used) continue
        const disk = copyOf(intact)
        disk.place(`/store/${name}`, content.subarray(0, length))
        try {
          const verdict = await judge(backend, disk, intact)
          if (name.endsWith('.log') && length < 4096 && verdict === 'clean') throw new Error('nothing was missed')
          if (isHint(name)) expect(verdict).toBe('clean')
          if (name === 'CURRENT' || /\.(sst|data)$/.test(name)) expect(verdict).toBe('refused')
        } catch (error) {
          throw new Error(`${name} cut to ${length}, seed ${seed}: ${(error as Error).message}`, { cause: error })
        }
      }
    }
  })

  test('a missing file is named; a file too many does no harm', async () => {
    const intact = await makeIntact(backend, mapped)
    for (const name of intact.files.keys()) {
      const disk = copyOf(intact)
      disk.remove(`/store/${name}`)
      if (isHint(name)) {
        expect(await judge(backend, disk, intact), name).toBe('clean')
        continue
      }
      const opening = backend.open(disk, options)
      // The newest segment could not be told from one that never was: it is listed, so it can.
      await expect(opening, name).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
      await expect(opening).rejects.toThrow(name)
      expect(disk.openFiles).toBe(0)
    }
    for (const name of [
      '000900.sst',
      '000900.data',
      '000900.hint',
      '000001.log',
      '000900.log',
      'MANIFEST-000900',
      'notes.txt',
      'CURRENT.tmp',
      '000002.sst.bak',
    ]) {
      if (intact.files.has(name)) continue
      const disk = copyOf(intact)
      disk.place(`/store/${name}`, new Uint8Array(10_000))
      expect(await judge(backend, disk, intact), name).toBe('clean')
      const foreign = name === 'notes.txt' || name === '000002.sst.bak'
      expect(disk.list('/store').includes(name), name).toBe(foreign)
    }
  })

  test('files of each other’s names are not believed', async () => {
    const intact = await makeIntact(backend, mapped)
    const names = [...intact.files.keys()]
    for (const a of names) {
      for (const b of names) {
        if (a === b) continue
        const disk = copyOf(intact)
        disk.place(`/store/${a}`, intact.files.get(b)!)
        disk.place(`/store/${b}`, intact.files.get(a)!)
        if (isHint(a) && isHint(b)) {
          expect(await judge(backend, disk, intact), `${a} and ${b}`).toBe('clean')
          continue
        }
        await expect(backend.open(disk, options), `${a} and ${b}`).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
        expect(disk.openFiles).toBe(0)
      }
    }
  })

  test('a file of another store is not believed, though its number fits', async () => {
    const intact = await makeIntact(backend, mapped)
    // Salts differ, for they are random where stores are opened for real.
    const others = [
      await makeIntact(backend, mapped, { firstSalt: 100 }),
      await makeIntact(backend, mapped, { firstSalt: 100, word: 'in' }),
    ]
    let compared = 0
    for (const other of others) {
      for (const [name, content] of intact.files) {
        const foreign = other.files.get(name)
        if (!/^\d/.test(name) || foreign === undefined || Buffer.compare(foreign, content) === 0) continue
        compared++
        const disk = copyOf(intact)
        disk.place(`/store/${name}`, foreign)
        if (isHint(name)) {
          expect(await judge(backend, disk, intact), name).toBe('clean')
          continue
        }
        await expect(backend.open(disk, options), name).rejects.toMatchObject({
          code: 'CASKADE_CORRUPTION',
          file: `/store/${name}`,
        })
        expect(disk.openFiles).toBe(0)
      }
    }
    expect(compared).toBeGreaterThan(3)
  })

  test('damage that shows in a job makes the store read-only, with the place', async () => {
    const intact = await makeIntact(backend, mapped)
    const disk = copyOf(intact)
    const table = [...intact.files.keys()].find((name) => /\.(sst|data)$/.test(name))!
    const content = disk.contentOf(`/store/${table}`)
    // In the last of the blocks: what is before and behind them is read when the store opens.
    const lastBlockEnd = isLsm
      ? Number(viewOf(content).getBigUint64(content.length - footerBytes, true))
      : content.length
    content[lastBlockEnd - filterAlignment - 8]! ^= 1
    const store = await backend.open(disk, options)
    // Background work may have come upon it by itself.
    const code = isLsm ? 'CASKADE_CORRUPTION' : expect.stringMatching(/CASKADE_(CORRUPTION|READ_ONLY)/)
    await expect(store.compactRange()).rejects.toMatchObject({ code, message: expect.stringContaining(table) })
    expect(store.stats().readOnlyReason).toContain(table)
    expect(() => store.putSync(bytes('a'), bytes('1'))).toThrow(expect.objectContaining({ code: 'CASKADE_READ_ONLY' }))
    const { errors } = await store.verify()
    expect(errors).toEqual([expect.objectContaining({ file: `/store/${table}`, offset: expect.any(Number) })])
    await store.close()
    expect(disk.openFiles).toBe(0)
  })
})

test('verify reads the flushed segments that changes() is served from', async () => {
  const disk = new PowerCutStorage({ mapped: true })
  const store = await lsm.open(disk, { changesBytes: 1 << 20 })
  for (let i = 0; i < 50; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i}`))
  await store.flush()
  const { files, errors } = await store.verify()
  expect({ files, errors }).toEqual({ files: 2, errors: [] })
  const segment = `/store/${disk.list('/store').find((name) => name.endsWith('.log'))}`
  const content = Buffer.from(disk.contentOf(segment))
  content[content.indexOf('value 20')]! ^= 1
  disk.place(segment, content)
  expect((await store.verify()).errors).toEqual([
    expect.objectContaining({ file: segment, offset: expect.any(Number) }),
  ])
  await store.close()
})
