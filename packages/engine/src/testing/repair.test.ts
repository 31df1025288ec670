import { describe, expect, test } from 'vitest'
import { repairBitcask } from '../bitcask/repair/repair-run.js'
import { TooOldError } from '../errors.js'
import { lsmDefaults } from '../lsm/lsm-store.js'
import { repairDirectory } from '../lsm/repair/repair-run.js'
import { destroyDirectory, type RepairReport } from '../repair.js'
import { type Backend, backends, bitcask, lsm } from './backends.js'
import { bytes, copyOf, type Intact, makeIntact, options, usedBytes } from './intact-store.js'
import { PowerCutStorage } from './power-cut-storage.js'
import { SeededRandom } from './seeded-random.js'

const seed = Number(process.env.CASKADE_SEED ?? 1)
let salt = 1000
const newSalt = () => salt++

function repairOf(backend: Backend, disk: PowerCutStorage): Promise<RepairReport> {
  if (backend !== lsm) return repairBitcask(disk, '/store', { dataFileBytes: 16 << 10, salt: newSalt })
  return repairDirectory(disk, '/store', { tables: lsmDefaults.tables, tableBytes: 16 << 10, salt: newSalt })
}

/** What is in the store now; it must open, be sound, and hold nothing that was never written. */
async function contentAfter({ open }: Backend, disk: PowerCutStorage, intact: Intact): Promise<Map<string, string>> {
  const store = await open(disk, options)
  const found = new Map(
    [...store.scan()].map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
  )
  for (const [key, value] of found) expect(intact.history.get(key)?.has(value), `${key} is ${value}`).toBe(true)
  for (const key of intact.model.keys()) {
    const value = store.getSync(bytes(key))
    expect(value && Buffer.from(value).toString()).toBe(found.get(key))
  }
  expect((await store.verify()).errors).toEqual([])
  store.putSync(bytes('key 0'), bytes('written after repair'))
  await store.compactRange()
  expect(store.getSync(bytes('key 0'))).toEqual(Buffer.from('written after repair'))
  await store.close()
  expect(disk.openFiles).toBe(0)
  return found
}

/** Values of the model that are gone or older. */
const missed = (found: Map<string, string>, intact: Intact) =>
  [...intact.model].filter(([key, value]) => found.get(key) !== value).map(([key]) => key)

const cases = backends.flatMap((backend) => [true, false].map((mapped) => ({ name: backend.name, backend, mapped })))
/** What tells which files there are, or where records are in them: without it records are still there. */
const isDerived = (name: string) => /^(CURRENT|MANIFEST)|\.hint$/.test(name)

describe.each(cases)('repair, $name, mapped $mapped', ({ backend, mapped }) => {
  const repair = (disk: PowerCutStorage) => repairOf(backend, disk)

  test('of a sound store changes nothing', async () => {
    const intact = await makeIntact(backend, mapped)
    const disk = copyOf(intact)
    const changes: string[] = []
    disk.onChange = (operation) => changes.push(operation)
    expect(await repair(disk)).toEqual({ damage: [], lost: [], recordsSalvaged: 0, manifestRebuilt: false })
    expect(changes).toEqual([])
    expect(missed(await contentAfter(backend, disk, intact), intact)).toEqual([])
  })

  test('after a flipped bit anywhere: only what lay in that block or frame may be missed', async () => {
    const intact = await makeIntact(backend, mapped)
    const random = new SeededRandom(seed)
    let repaired = 0
    for (const [name, content] of intact.files) {
      const every = /^(CURRENT|MANIFEST)/.test(name) ? 9 : 97
      for (let at = random.below(every); at < usedBytes(content); at += 1 + random.below(2 * every)) {
        const disk = copyOf(intact)
        const bit = random.below(8)
        disk.contentOf(`/store/${name}`)[at]! ^= 1 << bit
        try {
          const report = await repair(disk)
          const lost = missed(await contentAfter(backend, disk, intact), intact)
          if (report.damage.length > 0) repaired++
          if (isDerived(name)) expect(lost).toEqual([])
          // A block, or a merged frame, of the test's has no more than a dozen of records, a frame of the log one.
          else if (/\.(sst|data)$/.test(name)) expect(lost.length).toBeLessThan(40)
          else expect(lost.length).toBeLessThanOrEqual(1)
          if (report.damage.length > 0 && !isDerived(name)) expect(report.lost).toEqual([`/store/lost/${name}`])
        } catch (error) {
          throw new Error(`${name}, byte ${at}, bit ${bit}, seed ${seed}: ${(error as Error).message}`, {
            cause: error,
          })
        }
      }
    }
    expect(repaired).toBeGreaterThan(60)
  })

  test('of files cut short, zeroed or missing: what is left of them is kept', async () => {
    const intact = await makeIntact(backend, mapped)
    const random = new SeededRandom(seed)
    for (const [name, content] of intact.files) {
      const used = usedBytes(content)
      const lengths = [0, 1, 30, Math.floor(used / 2), used - 1, random.below(used), random.below(used)]
      for (const length of [...lengths, undefined]) {
        for (const zeroed of length === undefined ? [false] : [false, true]) {
          const disk = copyOf(intact)
          if (length === undefined) disk.remove(`/store/${name}`)
          else {
            const damaged = zeroed ? content.slice().fill(0, length, length + 700) : content.subarray(0, length)
            disk.place(`/store/${name}`, damaged)
          }
          const label = `${name} ${length === undefined ? 'missing' : zeroed ? `zeroed from ${length}` : `cut to ${length}`}`
          try {
            const report = await repair(disk)
            const lost = missed(await contentAfter(backend, disk, intact), intact)
            if (isDerived(name)) expect(lost).toEqual([])
            // A segment without its first page is what a power cut leaves of a new one: opening tells of it.
            const blank = name.endsWith('.log') && length !== undefined && length < 4096
            if (lost.length > 0 && !blank) expect(report.damage.length).toBeGreaterThan(0)
            expect(await repair(disk)).toMatchObject({ damage: [] })
          } catch (error) {
            throw new Error(`${label}, seed ${seed}: ${(error as Error).message}`, { cause: error })
          }
        }
      }
    }
  })

  test.each(['CURRENT', 'CURRENT and the manifest'])(
    'a crash at any call of it, without %s: a second repair ends it',
    async (without) => {
      const intact = await makeIntact(backend, mapped)
      const tables = [...intact.files.keys()].filter((name) => /\.(sst|data)$/.test(name))
      const disk = copyOf(intact)
      const damaged = intact.files.get(tables[0]!)!.slice()
      damaged[backend === lsm ? 60 : 4200]! ^= 1
      disk.place(`/store/${tables[0]}`, damaged)
      for (const name of intact.files.keys())
        if (name === 'CURRENT' || (name.startsWith('MANIFEST') && without !== 'CURRENT')) disk.remove(`/store/${name}`)
      disk.syncDirectory('/store')
      const clones: PowerCutStorage[] = []
      disk.onChange = () => {
        clones.push(disk.processCrashClone())
        for (const p of [0, 0.5, 1]) clones.push(disk.crashClone(p, clones.length))
      }
      await repair(disk)
      disk.onChange = () => {}
      const expected = missed(await contentAfter(backend, disk, intact), intact)
      expect(clones.length).toBeGreaterThan(40)
      for (const clone of clones) {
        await repair(clone)
        expect(missed(await contentAfter(backend, clone, intact), intact)).toEqual(expected)
      }
    },
  )

  test('a store in use, a newer one, and what is none are refused', async () => {
    const intact = await makeIntact(backend, mapped)
    const disk = copyOf(intact)
    const store = await backend.open(disk, options)
    await expect(repair(disk)).rejects.toMatchObject({ code: 'CASKADE_LOCKED' })
    await store.close()
    const empty = new PowerCutStorage({ mapped })
    empty.makeDirectory('/store')
    await expect(repair(empty)).rejects.toThrow('there is no store in /store')
  })
})

test('whoever follows the changes of a bitcask store is told that a repair lost some', async () => {
  const intact = await makeIntact(bitcask, true)
  const disk = copyOf(intact)
  const log = [...intact.files.keys()].findLast((name) => name.endsWith('.log'))!
  const before = await bitcask.open(disk.processCrashClone(), { ...options, readOnly: true })
  const { sequence } = before.stats()
  await before.close()
  disk.contentOf(`/store/${log}`)[usedBytes(intact.files.get(log)!) - 40]! ^= 1
  expect((await repairOf(bitcask, disk)).damage).toHaveLength(1)
  const store = await bitcask.open(disk, options)
  expect(() => store.changes(sequence)).toThrow(TooOldError)
  store.putSync(bytes('key 0'), bytes('after'))
  expect(store.stats().sequence).toBeGreaterThan(sequence)
  await store.close()
})

test('destroy removes the files of the store, and nothing else', async () => {
  const intact = await makeIntact(lsm, true)
  const disk = copyOf(intact)
  disk.place('/store/notes.txt', bytes('precious'))
  const store = await lsm.open(disk, options)
  expect(() => destroyDirectory(disk, '/store')).toThrow(expect.objectContaining({ code: 'CASKADE_LOCKED' }))
  await store.close()
  const clones: PowerCutStorage[] = []
  disk.onChange = () => clones.push(disk.crashClone(0.5, clones.length))
  destroyDirectory(disk, '/store')
  expect(disk.list('/store')).toEqual(['notes.txt'])
  for (const clone of clones) {
    const left = clone.list('/store').some((name) => /\.(sst|log)$/.test(name))
    const opening = lsm.open(clone, options)
    // Nothing was removed yet, or the rest is refused.
    const opened = await opening.catch((error) => error)
    if (left && opened instanceof Error) expect(opened).toMatchObject({ code: 'CASKADE_CORRUPTION' })
    else await opened.close()
    destroyDirectory(clone, '/store')
  }
  disk.remove('/store/notes.txt')
  destroyDirectory(disk, '/store')
  expect(() => disk.list('/store')).toThrow()
})
