import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { type OpenOptions, openStore } from '@caskade/engine'
import { describe, expect, test } from 'vitest'
import { contentOf, goldenClock } from './golden/golden-content.js'
import { TemporaryDirectory } from './temporary-directory.js'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const directories = [
  { name: 'lsm-v1/lz4', store: 'lsm' },
  { name: 'lsm-v1/none', store: 'lsm' },
  { name: 'bitcask-v1/directory', store: 'bitcask' },
] as const
const cases = directories.flatMap((golden) => (['auto', 'off'] as const).map((mmap) => ({ ...golden, mmap })))
const goldenOptions = { clock: () => goldenClock }

describe.each(cases)('a directory of format version 1, $name, mmap $mmap', ({ name, store: backend, mmap }) => {
  const open = (directory: string, options: OpenOptions) =>
    openStore(directory, { ...goldenOptions, store: backend, ...options })
  const lines = readFileSync(join(fixtures, `${name}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n')
  const expected: unknown[] = lines.map((line) => JSON.parse(line))
  const golden = join(fixtures, name)
  const files = () => readdirSync(golden).map((file) => [file, readFileSync(join(golden, file)).toString('base64')])

  test('is read in place, and not changed', async () => {
    const before = files()
    const store = await open(golden, { mmap, readOnly: true })
    expect(contentOf(store)).toEqual(expected)
    expect((await store.verify()).errors).toEqual([])
    await store.close()
    expect(files()).toEqual(before)
  })

  test('is taken over for writing, by every later way of reading', async () => {
    using temporary = new TemporaryDirectory()
    const copy = join(temporary.path, 'copy')
    cpSync(golden, copy, { recursive: true })
    const store = await open(copy, { mmap })
    expect(contentOf(store)).toEqual(expected)
    await store.flush()
    expect(contentOf(store)).toEqual(expected)
    await store.compactRange()
    expect(contentOf(store)).toEqual(expected)
    expect((await store.verify()).errors).toEqual([])
    store.putSync(Buffer.from('key 000'), Buffer.from('new'))
    await store.close()
    const again = await open(copy, { mmap })
    expect(Buffer.from(again.getSync(Buffer.from('key 000'))!).toString()).toBe('new')
    await again.close()
  })
})

test.each([
  ['lsm-v1/lz4', 'lsm', 'the manifest', /^MANIFEST/, 12],
  ['lsm-v1/lz4', 'lsm', 'the log', /\.log$/, 28],
  ['bitcask-v1/directory', 'bitcask', 'the manifest', /^MANIFEST/, 12],
  ['bitcask-v1/directory', 'bitcask', 'the log', /\.log$/, 28],
  ['bitcask-v1/directory', 'bitcask', 'a merged file', /\.data$/, 28],
  ['bitcask-v1/directory', 'bitcask', 'a hint', /\.hint$/, -4],
] as const)('%s (%s): a later version of %s is refused, and left as it is', async (...golden) => {
  const [name, store, , pattern, checksumAt] = golden
  using temporary = new TemporaryDirectory()
  const copy = join(temporary.path, 'copy')
  cpSync(join(fixtures, name), copy, { recursive: true })
  const path = join(copy, readdirSync(copy).find((file) => pattern.test(file))!)
  const bytes = readFileSync(path)
  bytes.writeUInt32LE(2, 8)
  const end = checksumAt < 0 ? bytes.length + checksumAt : checksumAt
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end)
  writeFileSync(path, bytes)
  for (const readOnly of [true, false]) {
    const opening = openStore(copy, { ...goldenOptions, store, readOnly })
    await expect(opening).rejects.toMatchObject({ code: 'CASKADE_NEWER_FORMAT' })
    await expect(opening).rejects.toThrow(/format version 2, this release reads up to 1/)
  }
  expect(readFileSync(path).equals(bytes)).toBe(true)
})
