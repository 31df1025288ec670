import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from './open.js'
import { repairStore } from './repair.js'

test('a bitcask store is refused and left as it is, even one that has nothing but its log', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'caskade-repair-'))
  try {
    const store = await openStore(directory, { store: 'bitcask' })
    store.putSync(Buffer.from('key'), Buffer.from('value'))
    const names = (await readdir(directory)).sort()
    expect(names.filter((name) => /\.(hint|data)$/.test(name))).toEqual([])
    await store.close()
    const before = (await readdir(directory)).sort()
    await expect(repairStore(directory)).rejects.toMatchObject({ code: 'CASKADE_WRONG_STORE' })
    expect((await readdir(directory)).sort()).toEqual(before)
    const again = await openStore(directory, { store: 'bitcask' })
    expect(Buffer.from(again.getSync(Buffer.from('key'))!).toString()).toBe('value')
    await again.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})
