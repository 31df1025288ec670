import { execFile } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { available, fallocate, flock, type MapOptions, map, unavailableReason } from './index.js'

const run = promisify(execFile)
const page = 64 * 1024
let directory: string
let file: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-mmap-'))
  file = join(directory, 'file')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function open(content: Uint8Array | string, flags = 'r+'): number {
  writeFileSync(file, content)
  return openSync(file, flags)
}

function failure(action: () => unknown): { code: unknown; errno: unknown; message: string } {
  try {
    action()
  } catch (error) {
    const { code, errno, message } = error as NodeJS.ErrnoException
    return { code, errno, message }
  }
  throw new Error('expected a failure')
}

test('is available here', () => {
  expect(unavailableReason()).toBeUndefined()
  expect(available()).toBe(true)
})

describe('map', () => {
  test('reads a file, after its descriptor is closed', () => {
    const fd = open('hello, map')
    const mapping = map(fd)
    closeSync(fd)
    expect(Buffer.from(mapping.bytes).toString()).toBe('hello, map')
    expect(mapping.length).toBe(10)
    mapping.close()
    expect(mapping.closed).toBe(true)
  })

  test('writes reach the file, other mappings and the disk', () => {
    const fd = open(new Uint8Array(2 * page))
    const mapping = map(fd, { access: 'write' })
    const reader = map(fd)
    mapping.bytes.set(Buffer.from('shared'), page + 5)
    expect(Buffer.from(reader.bytes.subarray(page + 5, page + 11)).toString()).toBe('shared')
    mapping.sync(page + 5, 6)
    mapping.sync()
    mapping.sync(0, page, { background: true })
    expect(
      readFileSync(file)
        .subarray(page + 5, page + 11)
        .toString(),
    ).toBe('shared')
    mapping.close()
    reader.close()
    closeSync(fd)
  })

  test('a stray write to a mapping for reading stays private', () => {
    const fd = open('original', 'r')
    const mapping = map(fd)
    mapping.bytes[0] = 0x4f
    expect(readFileSync(file, 'latin1')).toBe('original')
    mapping.close()
    closeSync(fd)
  })

  test('any offset and length', () => {
    const content = Buffer.from(Array.from({ length: 3 * page }, (_, i) => i % 251))
    const fd = open(content)
    for (const [offset, length] of [
      [1, 10],
      [page - 1, 2],
      [page, page],
      [page + 1, 2 * page - 1],
      [3 * page - 1, 1],
    ] as const) {
      using mapping = map(fd, { offset, length })
      expect(Buffer.compare(mapping.bytes, content.subarray(offset, offset + length))).toBe(0)
      mapping.advise('huge-pages')
      mapping.advise('will-need')
      mapping.advise('dont-need', length - 1, 1)
      expect(mapping.bytes[length - 1]).toBe(content[offset + length - 1])
    }
    closeSync(fd)
  })

  test('resident counts whole pages', () => {
    const fd = open(new Uint8Array(4 * page))
    using mapping = map(fd)
    mapping.bytes.fill(0)
    const { pages, residentPages } = mapping.resident()
    expect(residentPages).toBe(pages)
    expect(mapping.resident(1, 1)).toEqual({ pages: 1, residentPages: 1 })
    expect(mapping.resident(0, 0)).toEqual({ pages: 0, residentPages: 0 })
    closeSync(fd)
  })

  test.each<[string, MapOptions, string]>([
    ['past the end', { length: 101 }, '101 bytes at offset 0'],
    ['offset past the end', { offset: 101 }, 'offset 101'],
    ['negative offset', { offset: -1, length: 5 }, 'offset -1'],
    ['fraction', { length: 1.5 }, '1.5 bytes'],
    ['not a number', { offset: Number.NaN }, 'NaN'],
    ['empty range', { length: 0 }, 'empty range'],
    ['unknown access', { access: 'execute' as 'read' }, '"execute"'],
  ])('refuses: %s', (_name, options, message) => {
    const fd = open(new Uint8Array(100))
    const { code, errno, message: said } = failure(() => map(fd, options))
    closeSync(fd)
    expect([code, errno]).toEqual(['EINVAL', -22])
    expect(said).toContain(message)
  })

  test('refuses an empty file, a closed or impossible descriptor, a directory, a wrong mode', () => {
    const fd = open('')
    expect(failure(() => map(fd))).toMatchObject({ code: 'EINVAL', errno: -22 })
    closeSync(fd)
    expect(failure(() => map(fd))).toMatchObject({ code: 'EBADF', errno: -9 })
    for (const bad of [-1, 1.5, 2 ** 40, Number.NaN]) expect(failure(() => map(bad)).code).toBe('EBADF')
    const directoryFd = openSync(directory, 'r')
    expect(failure(() => map(directoryFd)).code).toBe('ENODEV')
    closeSync(directoryFd)
    const readOnly = open('x', 'r')
    const error = failure(() => map(readOnly, { access: 'write' }))
    expect(error).toMatchObject({ code: 'EACCES', errno: -13 })
    expect(error.message).toContain("'r+'")
    closeSync(readOnly)
  })

  test('methods check their range', () => {
    const fd = open(new Uint8Array(100))
    using mapping = map(fd)
    expect(failure(() => mapping.advise('random', 50, 51)).code).toBe('EINVAL')
    expect(failure(() => mapping.advise('eager' as 'random')).code).toBe('EINVAL')
    expect(failure(() => mapping.sync(-1, 5)).code).toBe('EINVAL')
    expect(failure(() => mapping.resident(101)).code).toBe('EINVAL')
    closeSync(fd)
  })
})

describe('flock', () => {
  test('excludes other open files of the same process, and shares', () => {
    const a = open('')
    const b = openSync(file, 'r+')
    flock(a, 'exclusive')
    expect(failure(() => flock(b, 'exclusive'))).toMatchObject({ code: 'EWOULDBLOCK' })
    expect(failure(() => flock(b, 'shared')).message).toContain('shared')
    flock(a, 'shared')
    flock(b, 'shared')
    expect(failure(() => flock(a, 'exclusive')).code).toBe('EWOULDBLOCK')
    flock(b, 'unlock')
    flock(a, 'exclusive')
    closeSync(a)
    flock(b, 'exclusive')
    closeSync(b)
    expect(failure(() => flock(b, 'exclusive'))).toMatchObject({ code: 'EBADF', errno: -9 })
    expect(failure(() => flock(-1, 'exclusive')).code).toBe('EBADF')
    expect(failure(() => flock(0, 'wait' as 'shared')).code).toBe('EINVAL')
  })
})

describe('fallocate', () => {
  test('grows, really allocates, keeps what is there', () => {
    const fd = open('kept')
    fallocate(fd, 0, 1024 * 1024)
    const { size, blocks } = fstatSync(fd)
    expect(size).toBe(1024 * 1024)
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
    fallocate(fd, 0, 10)
    expect(fstatSync(fd).size).toBe(size)
    const content = readFileSync(file)
    expect(content.subarray(0, 4).toString()).toBe('kept')
    expect(content.subarray(4).every((byte) => byte === 0)).toBe(true)
    ftruncateSync(fd, 0)
    closeSync(fd)
  })

  test('fills a hole', () => {
    const fd = open('')
    ftruncateSync(fd, 1024 * 1024)
    fallocate(fd, 0, 1024 * 1024)
    expect(fstatSync(fd).blocks * 512).toBeGreaterThanOrEqual(1024 * 1024)
    closeSync(fd)
  })

  test('reports what is impossible', () => {
    const fd = open('', 'r')
    expect(failure(() => fallocate(fd, 0, 10)).code).toBe('EBADF')
    expect(failure(() => fallocate(fd, 0, 0)).code).toBe('EINVAL')
    expect(failure(() => fallocate(fd, -1, 10)).code).toBe('EINVAL')
    closeSync(fd)
    expect(failure(() => fallocate(fd, 0, 10)).code).toBe('EBADF')
    const writable = open('')
    expect(['ENOSPC', 'EFBIG']).toContain(failure(() => fallocate(writable, 0, 2 ** 52)).code)
    closeSync(writable)
  })
})

describe('in a process of its own', () => {
  async function child(scenario: string): Promise<unknown> {
    writeFileSync(file, Buffer.alloc(2 * page, 'x'))
    const program = fileURLToPath(new URL('./mmap.test.child.js', import.meta.url))
    const { stdout } = await run(process.execPath, ['--expose-gc', program, scenario, file])
    return JSON.parse(stdout)
  }

  test('a use after close throws or sees nothing', async () => {
    const expected = {
      lengths: [0, 0, 0, 0],
      hot: 'undefined',
      dataView: 'TypeError',
      copy: '',
      write: 'RangeError',
      property: 'EBADF',
      advise: 'EBADF',
      sync: 'EBADF',
      resident: 'EBADF',
    }
    const results = (await child('stale-views')) as { write: string }[]
    // Node 20 and later disagree on the class of error for `set` on a detached array.
    for (const result of results) if (result.write === 'TypeError') result.write = 'RangeError'
    expect(results).toEqual([expected, expected])
    expect(readFileSync(file, 'latin1')).toBe('x'.repeat(2 * page))
  })

  test('a buffer that was transferred away sees zeros after close', async () => {
    expect(await child('transferred')).toBe(0)
  })

  test('collection after close', async () => {
    expect(await child('collected')).toBe('survived')
  })

  test('10,000 cycles leak neither memory nor descriptors', async () => {
    type Outcome = { grownBytes: number; mappings: number; descriptors: number }
    const { grownBytes, mappings, descriptors } = (await child('cycles')) as Outcome
    expect(mappings).toBe(0)
    expect(descriptors).toBeLessThan(64)
    expect(grownBytes).toBeLessThan(32 * 1024 * 1024)
  })

  test('workers map, close, forget to close, and are terminated', async () => {
    const closedIsEmpty = [0, 2 * page, 2 * page]
    expect(await child('workers')).toEqual({ lengths: closedIsEmpty, sum: 'x'.charCodeAt(0) + 3 })
  })

  test('without koffi the package loads and says why nothing works', async () => {
    const bare = mkdtempSync(join(directory, 'bare-'))
    const built = fileURLToPath(new URL('.', import.meta.url))
    for (const name of readdirSync(built)) if (name.endsWith('.js')) copyFileSync(join(built, name), join(bare, name))
    writeFileSync(join(bare, 'package.json'), '{"type":"module"}')
    writeFileSync(
      join(bare, 'main.js'),
      `import { available, unavailableReason, map, flock, fallocate } from './index.js'
       const code = (call) => { try { call() } catch (error) { return error.code } }
       console.log(JSON.stringify([available(), unavailableReason(), code(() => map(0)), code(() => flock(0, 'shared')), code(() => fallocate(0, 0, 1))]))`,
    )
    const { stdout } = await run(process.execPath, [join(bare, 'main.js')], { env: { ...process.env, NODE_PATH: '' } })
    expect(JSON.parse(stdout)).toEqual([false, expect.stringContaining('koffi'), 'ENOSYS', 'ENOSYS', 'ENOSYS'])
  })
})
