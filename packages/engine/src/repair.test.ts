import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from './open.js'
import { repairStore } from './repair.js'

test.each(['auto', 'off'] as const)('a bitcask store without a manifest opens again, mmap %s', async (mmap) => {
  const directory = await mkdtemp(join(tmpdir(), 'caskade-repair-'))
  const options = { store: 'bitcask', mmap } as const
  try {
    const store = await openStore(directory, options)
    for (let i = 0; i < 100; i++) store.putSync(Buffer.from(`key ${i}`), Buffer.from(`value ${i}`))
    await store.close()
    const sound = { damage: [], lost: [], recordsSalvaged: 0, manifestRebuilt: false }
    expect(await repairStore(directory, { mmap })).toEqual(sound)
    for (const name of await readdir(directory)) if (/^(CURRENT|MANIFEST)/.test(name)) await rm(join(directory, name))
    await expect(openStore(directory, options)).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
    expect(await repairStore(directory, { mmap })).toMatchObject({ lost: [], manifestRebuilt: true })
    const again = await openStore(directory, options)
    for (let i = 0; i < 100; i++) expect(again.getSync(Buffer.from(`key ${i}`))?.toString()).toBe(`value ${i}`)
    await again.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a bitcask store that has nothing but its log is known by its manifest, and left as it is', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'caskade-repair-'))
  try {
    const store = await openStore(directory, { store: 'bitcask' })
    store.putSync(Buffer.from('key'), Buffer.from('value'))
    const names = (await readdir(directory)).sort()
    expect(names.filter((name) => /\.(hint|data)$/.test(name))).toEqual([])
    await store.close()
    const before = (await readdir(directory)).sort()
    expect((await repairStore(directory)).damage).toEqual([])
    expect((await readdir(directory)).sort()).toEqual(before)
    const again = await openStore(directory, { store: 'bitcask' })
    expect(Buffer.from(again.getSync(Buffer.from('key'))!).toString()).toBe('value')
    await again.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})
