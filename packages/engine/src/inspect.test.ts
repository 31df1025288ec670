import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inspectKeydir } from './bitcask/inspect-keydir.js'
import { inspectFile } from './inspect.js'
import { openStore } from './open.js'
import { openInlineBitcask } from './testing/inline-bitcask.js'
import { PowerCutStorage } from './testing/power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))
let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'caskade-inspect-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

/** A checkpoint: tables, a log that is sealed, a manifest, CURRENT. */
async function store(): Promise<string> {
  const directory = join(parent, 'copy')
  const store = await openStore(join(parent, 'store'))
  store.putSync(bytes('in a table'), bytes('value \xff "quoted"'), { tag: 3, expiresAt: 4102444800000, writtenAt: 77 })
  store.deleteSync(bytes('gone'))
  await store.flush()
  store.writeSync([
    { type: 'put', key: bytes('in the log'), value: bytes('x'.repeat(1000)) },
    { type: 'delete', key: bytes('in a table') },
  ])
  store.deleteRangeSync({ gte: bytes('m'), lt: bytes('n') })
  await store.checkpoint(directory)
  await store.close()
  return directory
}

const dumps = (directory: string, mmap: 'auto' | 'off') =>
  Object.fromEntries(
    readdirSync(directory)
      .filter((name) => name !== 'LOCK')
      .map((name) => [name.replace(/[0-9-]+/, ''), [...inspectFile(join(directory, name), { mmap })].join('\n')]),
  )

test.each(['auto', 'off'] as const)('every kind of file, mmap %s', async (mmap) => {
  const text = dumps(await store(), mmap)
  expect(Object.keys(text).sort()).toEqual(['.log', '.sst', 'CURRENT', 'MANIFEST'])
  expect(text['.sst']).toContain(
    'put "in a table" = "value \\xff \\"quoted\\"" sequence 1 tag 3 expires 4102444800000 written 77',
  )
  expect(text['.sst']).toContain('delete "gone" sequence 2')
  expect(text['.log']).toMatch(/4096 {2}frame of \d+ bytes, 2 records, checksum ok/)
  expect(text['.log']).toContain(`put "in the log" = "${'x'.repeat(80)}"… (1000 bytes) sequence 3`)
  expect(text['.log']).toContain('delete range from "m" to "n" sequence 5')
  expect(text['.log']).toContain('seal: nothing is missing')
  expect(text.MANIFEST).toContain('"addTables":[')
  expect(text.CURRENT).toMatch(/names MANIFEST-\d+, checksum ok/)
  expect(Object.values(text).join('\n')).not.toContain('DAMAGED')
})

test('damage is marked, and the rest is told', async () => {
  const directory = await store()
  for (const [pattern, at, still] of [
    [/\.log$/, 4100, 'delete range from'],
    [/\.sst$/, 30, 'sequences 1 to 2'],
    [/\.sst$/, -1, 'put "in a table"'],
    [/^MANIFEST/, 40, 'manifest, '],
    [/^CURRENT/, 3, 'DAMAGED'],
  ] as const) {
    const name = readdirSync(directory).find((name) => pattern.test(name))!
    const content = readFileSync(join(directory, name))
    const damaged = Buffer.from(content)
    damaged[at < 0 ? damaged.length + at : at]! ^= 1
    writeFileSync(join(directory, name), damaged)
    const text = [...inspectFile(join(directory, name))].join('\n')
    expect(text, name).toContain('DAMAGED')
    expect(text, name).toContain(still)
    writeFileSync(join(directory, name), content)
  }
  expect(() => [...inspectFile(join(directory, 'notes.txt'))]).toThrow(TypeError)
  expect(() => [...inspectFile(join(directory, '000099.sst'))]).toThrow('ENOENT')
})

/** Merged files with their hints, and one that the log has written. */
async function bitcaskStore(): Promise<string> {
  const directory = join(parent, 'copy')
  const store = await openStore(join(parent, 'store'), { store: 'bitcask' })
  store.putSync(bytes('kept'), bytes('value'), { tag: 3 })
  store.putSync(bytes('gone'), bytes('value'))
  // Enough that nothing is merged by itself.
  for (let i = 0; i < 10; i++) store.putSync(bytes(`other ${i}`), bytes('value'))
  await store.compactRange()
  store.deleteSync(bytes('gone'))
  await store.flush()
  await store.checkpoint(directory)
  await store.close()
  return directory
}

test.each(['auto', 'off'] as const)('every kind of file of a bitcask store, mmap %s', async (mmap) => {
  const directory = await bitcaskStore()
  const named = (pattern: RegExp) => readdirSync(directory).filter((name) => pattern.test(name))
  const text = (name: string) => [...inspectFile(join(directory, name), { mmap })].join('\n')
  const [data] = named(/\.data$/)
  expect(text(data!)).toContain('put "kept" = "value" sequence 1 tag 3')
  expect(text(data!)).toContain('seal: nothing is missing')
  const hint = text(data!.replace('.data', '.hint'))
  expect(hint).toMatch(/of data file \d+, salt [0-9a-f]{8}, records up to \d+, checksum ok/)
  expect(hint).toContain('12 records, 0 of them deletions, sequences 1 to 12')
  expect(hint).toMatch(/ {8}96 {2}slot \d+ hash [0-9a-f]{8} identity [0-9a-f]{12}: put at \d+, \d+ bytes, sequence \d+/)
  expect(
    named(/\.log$/)
      .map(text)
      .join('\n'),
  ).toContain('delete "gone" sequence 13')
  expect(
    named(/\.(data|log|hint)$/)
      .map(text)
      .join('\n'),
  ).not.toContain('DAMAGED')
})

test('the keydir that a close leaves: what it says of the files, and where each key is', async () => {
  const disk = new PowerCutStorage({ mapped: true })
  const store = await openInlineBitcask(disk)
  for (let i = 0; i < 10; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
  await store.close()
  const path = `/store/${disk.list('/store').find((name) => name.endsWith('.keydir'))}`
  const number = Number(/\d+/.exec(path)![0])
  const lines = [...inspectKeydir(disk, path, number)]
  expect(lines[1]).toMatch(/salt [0-9a-f]{8}, sequence 10, 10 keys, checksum of the head ok/)
  expect(lines[2]).toMatch(/log \d+, salt [0-9a-f]{8}, records up to \d+: \d+ bytes of \d+ alive/)
  expect(lines.slice(3)).toHaveLength(10)
  expect(lines[3]).toMatch(/slot \d+ fingerprint [0-9a-f]{6}: file \d+ at \d+/)
  expect([...inspectKeydir(disk, path, number + 1)].join('\n')).toContain("under another's name")
  // As a file of the real disk, and one that is damaged.
  const copy = join(parent, `${String(number).padStart(6, '0')}.keydir`)
  const content = Buffer.from(disk.contentOf(path))
  writeFileSync(copy, content)
  expect([...inspectFile(copy)]).toEqual(lines)
  content[content.length - 9]! ^= 1
  writeFileSync(copy, content)
  expect([...inspectFile(copy)].at(-1)).toContain('DAMAGED: ')
  expect(disk.openFiles).toBe(0)
})

test('damage of bitcask files is marked; a hint has one checksum, and is told up to there', async () => {
  const directory = await bitcaskStore()
  for (const [pattern, still] of [
    [/\.data$/, 'header checksum ok'],
    [/\.hint$/, 'hint '],
  ] as const) {
    const name = readdirSync(directory).find((name) => pattern.test(name))!
    const content = readFileSync(join(directory, name))
    content[content.length - 30]! ^= 1
    writeFileSync(join(directory, name), content)
    const text = [...inspectFile(join(directory, name))].join('\n')
    expect(text, name).toContain('DAMAGED')
    expect(text, name).toContain(still)
  }
})
