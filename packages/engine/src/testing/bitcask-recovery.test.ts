import { beforeAll, describe, expect, test } from 'vitest'
import type { StoreEvent } from '../store.js'
import { bitcask } from './backends.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { bytes, copyOf, type Intact, makeIntact, usedBytes } from './intact-store.js'
import type { PowerCutStorage } from './power-cut-storage.js'

let intact: Intact
const named = (pattern: RegExp) => [...intact.files.keys()].filter((name) => pattern.test(name))
const events: StoreEvent[] = []
const open = (disk: PowerCutStorage) => {
  events.length = 0
  return openInlineBitcask(disk, { onEvent: (event) => events.push(event) }, () => {})
}

async function expectWhole(disk: PowerCutStorage): Promise<void> {
  const store = await open(disk)
  for (const [key, value] of intact.model) expect(store.getSync(bytes(key)), key).toEqual(Buffer.from(value))
  expect([...store.scan()]).toHaveLength(intact.model.size)
  await store.close()
}

beforeAll(async () => {
  intact = await makeIntact(bitcask, true)
})

describe('without a hint', () => {
  test('records are loaded, each checked against its checksum', async () => {
    for (const hint of named(/\.hint$/)) {
      const disk = copyOf(intact)
      disk.remove(`/store/${hint}`)
      await expectWhole(disk)
      expect(events).toContainEqual(expect.objectContaining({ name: 'hint-unusable' }))
    }
  })

  test('a record that does not match its checksum is not loaded: the store is refused, with the place', async () => {
    const hint = named(/\.hint$/).find((name) => intact.files.has(name.replace('.hint', '.data')))!
    const data = hint.replace('.hint', '.data')
    const used = usedBytes(intact.files.get(data)!)
    for (let at = 4096; at < used - 16; at += 101) {
      const disk = copyOf(intact)
      disk.remove(`/store/${hint}`)
      disk.contentOf(`/store/${data}`)[at]! ^= 0x20
      await expect(open(disk), `byte ${at}`).rejects.toMatchObject({
        code: 'CASKADE_CORRUPTION',
        file: `/store/${data}`,
        offset: expect.any(Number),
      })
      expect(disk.openFiles).toBe(0)
    }
  })
})

describe('cut short', () => {
  test('a hint at any length is not believed, and not missed', async () => {
    const name = named(/\.hint$/)[0]!
    const content = intact.files.get(name)!
    for (let length = 0; length < content.length; length += 29) {
      const disk = copyOf(intact)
      disk.place(`/store/${name}`, content.subarray(0, length))
      await expectWhole(disk)
      expect(events).toContainEqual(expect.objectContaining({ name: 'hint-unusable' }))
    }
  })

  test('a data file that was synced whole is refused at any length', async () => {
    for (const name of named(/\.data$/)) {
      const content = intact.files.get(name)!
      for (let length = 0; length < content.length; length += 457) {
        const disk = copyOf(intact)
        disk.place(`/store/${name}`, content.subarray(0, length))
        await expect(open(disk), `${name} cut to ${length}`).rejects.toMatchObject({
          code: 'CASKADE_CORRUPTION',
          file: `/store/${name}`,
        })
      }
    }
  })

  test('the output of a merge that did not end is removed, whatever there is of it', async () => {
    const [data, hint] = [named(/\.data$/)[0]!, named(/\.hint$/)[0]!]
    for (const length of [0, 1, 32, 4096, 5000, intact.files.get(data)!.length]) {
      const disk = copyOf(intact)
      disk.place('/store/000900.data', intact.files.get(data)!.subarray(0, length))
      disk.place('/store/000900.hint', intact.files.get(hint)!.subarray(0, length))
      await expectWhole(disk)
      expect(disk.list('/store').filter((name) => name.startsWith('000900'))).toEqual([])
    }
  })
})

describe('trailing junk', () => {
  const junk = Buffer.alloc(3000, 'junk')
  const withJunk = (name: string) => {
    const disk = copyOf(intact)
    disk.place(`/store/${name}`, Buffer.concat([intact.files.get(name)!, junk]))
    return disk
  }

  test('behind the end of a data file is never read', async () => {
    for (const name of named(/\.data$/)) await expectWhole(withJunk(name))
  })

  test('makes a hint unusable', async () => {
    for (const name of named(/\.hint$/)) {
      await expectWhole(withJunk(name))
      expect(events).toContainEqual(
        expect.objectContaining({
          name: 'hint-unusable',
          details: expect.objectContaining({ file: `/store/${name}` }),
        }),
      )
    }
  })

  test('behind the last record of the log is cut, and said', async () => {
    const name = named(/\.log$/).at(-1)!
    const disk = copyOf(intact)
    const content = disk.contentOf(`/store/${name}`)
    const end = (usedBytes(content) + 7) & ~7
    content.set(junk, end)
    await expectWhole(disk)
    expect(events).toContainEqual(
      expect.objectContaining({ name: 'tail-cut', details: expect.objectContaining({ file: `/store/${name}` }) }),
    )
  })
})
