import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@caskade/engine'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CaskadeLevel } from './caskade-level.js'

let directory: string
let db: CaskadeLevel<string, string>
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-level-'))
  db = new CaskadeLevel(join(directory, 'db'), { writeBufferSize: 64 << 10 })
  await db.open()
})
afterEach(async () => {
  await db.close()
  rmSync(directory, { recursive: true, force: true })
})

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const fill = (count: number, value = 'value') =>
  db.batch(Array.from({ length: count }, (_, i) => ({ type: 'put', key: String(i).padStart(6, '0'), value }) as const))

describe('opening', () => {
  test('needs a location', () => {
    for (const location of [{}, '', undefined])
      expect(() => new CaskadeLevel(location as string)).toThrow(
        new TypeError("The first argument 'location' must be a non-empty string"),
      )
  })

  test('creates the directory and its parents, unless told not to', async () => {
    const location = join(directory, 'beep', 'boop')
    const reluctant = new CaskadeLevel(location, { createIfMissing: false })
    await expect(reluctant.open()).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: { code: 'LEVEL_IO_ERROR' },
    })
    expect(existsSync(join(directory, 'beep'))).toBe(false)
    const eager = new CaskadeLevel(location)
    expect(eager.location).toBe(location)
    await eager.put('a', '1')
    await eager.close()
    await reluctant.open()
    expect(await reluctant.get('a')).toBe('1')
    await reluctant.close()
  })

  test('twice is refused, in this process and in another', async () => {
    const locked = { code: 'LEVEL_DATABASE_NOT_OPEN', cause: { code: 'LEVEL_LOCKED' } }
    await expect(new CaskadeLevel(db.location).open()).rejects.toMatchObject(locked)
    const script = `
      const { CaskadeLevel } = await import(${JSON.stringify(new URL('index.js', import.meta.url).href)})
      await new CaskadeLevel(${JSON.stringify(db.location)}).open().catch((error) => console.log(error.cause.code))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await Promise.all([collect(child.stdout), once(child, 'exit')])
    expect(Buffer.concat(output).toString().trim()).toBe('LEVEL_LOCKED')
  })

  test('damage is LEVEL_CORRUPTION, with the place', async () => {
    await fill(1000)
    await db.compactRange('0', '9')
    await db.close()
    const table = readdirSync(db.location).find((name) => name.endsWith('.sst'))!
    truncateSync(join(db.location, table), 100)
    await expect(db.open()).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: {
        code: 'LEVEL_CORRUPTION',
        message: expect.stringContaining(table),
        cause: { code: 'CASKADE_CORRUPTION' },
      },
    })
  })

  test('in several threads is refused in so many words', async () => {
    const other = new CaskadeLevel(join(directory, 'other'))
    await expect(other.open({ multithreading: true })).rejects.toMatchObject({ cause: { code: 'LEVEL_NOT_SUPPORTED' } })
  })

  test('a directory of LevelDB is recognized, and left as it is', async () => {
    const location = join(directory, 'leveldb')
    const classic = new ClassicLevel(location)
    await classic.put('a', '1')
    await classic.close()
    const files = () => readdirSync(location).map((name) => [name, readFileSync(join(location, name)).toString('hex')])
    const before = files()
    const refused = { code: 'LEVEL_NOT_SUPPORTED', message: expect.stringContaining('caskade-level convert') }
    await expect(new CaskadeLevel(location).open()).rejects.toMatchObject({ cause: refused })
    await expect(CaskadeLevel.destroy(location)).rejects.toMatchObject(refused)
    await expect(CaskadeLevel.repair(location)).rejects.toMatchObject(refused)
    expect(files()).toEqual(before)
  })
})

describe('keys and values', () => {
  test('any key of level has its place: empty, of zeros, of any bytes', async () => {
    const bytes = { keyEncoding: 'buffer', valueEncoding: 'utf8' } as const
    const keys = [[], [0], [0, 0], [0, 0, 0, 1], [0, 1], [1], [255], [255, 255]].map((key) => Buffer.from(key))
    for (const key of [...keys].reverse()) await db.put<Buffer, string>(key, key.toString('hex'), bytes)
    expect(await db.keys<Buffer>({ keyEncoding: 'buffer' }).all()).toEqual(keys)
    for (const [i, key] of keys.entries()) {
      expect(db.getSync<Buffer, string>(key, bytes)).toBe(key.toString('hex'))
      expect(await db.keys<Buffer>({ gte: key, keyEncoding: 'buffer' }).all()).toEqual(keys.slice(i))
      expect(await db.keys<Buffer>({ lt: key, reverse: true, keyEncoding: 'buffer' }).all()).toEqual(
        keys.slice(0, i).reverse(),
      )
    }
    expect(db.getSync('')).toBe('')
    await db.put('\0', 'text')
    expect(await db.getMany(['', '\0', '\0\0', 'absent'])).toEqual(['', 'text', '0000', undefined])
    expect(await db.hasMany(['', '\0\0\0', '\0'])).toEqual([true, false, true])
    await db.clear({ lt: '\0\0' })
    expect((await db.keys<Buffer>({ keyEncoding: 'buffer' }).all())[0]).toEqual(keys[2])
  })

  test('texts come back as UTF-8 keeps them, short and long', async () => {
    const texts = ['', 'ascii', 'é', '漢字', '😀'.repeat(3000), 'a'.repeat(200_000), '\ufeffmark', '\ud800']
    for (const text of texts) {
      const expected = Buffer.from(text).toString()
      await db.put(`key ${text.slice(0, 100)}`, text)
      expect(db.getSync(`key ${text.slice(0, 100)}`)).toBe(expected)
      expect(await db.get(`key ${text.slice(0, 100)}`)).toBe(expected)
      await db.put(`long ${text.slice(0, 20_000)}`, 'x')
      expect(await db.has(`long ${text.slice(0, 20_000)}`)).toBe(true)
    }
    expect((await db.values({ gte: 'key ', lt: 'key!' }).all()).toSorted()).toEqual(
      texts.map((text) => Buffer.from(text).toString()).toSorted(),
    )
  })

  test('a value handed out stays what it is', async () => {
    const options = { valueEncoding: 'view' } as const
    await db.put<string, Uint8Array>('a', new Uint8Array([1, 2, 3]), options)
    const value = db.getSync<string, Uint8Array>('a', options)!
    await db.put<string, Uint8Array>('a', new Uint8Array([4, 5, 6]), options)
    await db.compactRange('a', 'b')
    expect(new Uint8Array(value)).toEqual(new Uint8Array([1, 2, 3]))
    value[0] = 9
    expect(new Uint8Array(db.getSync<string, Uint8Array>('a', options)!)).toEqual(new Uint8Array([4, 5, 6]))
  })

  test('a key from a resizable buffer', async () => {
    // ES2024, not in the library types.
    const ResizableBuffer = ArrayBuffer as new (length: number, options: { maxByteLength: number }) => ArrayBuffer
    const key = new Uint8Array(new ResizableBuffer(2, { maxByteLength: 16 }))
    await db.put<Uint8Array, string>(key, 'foo', { keyEncoding: 'view' })
    expect(await db.get<Uint8Array, string>(key, { keyEncoding: 'view' })).toBe('foo')
  })

  test('too long a key is LEVEL_INVALID_KEY, and nothing has happened', async () => {
    const long = 'x'.repeat(70_000)
    await expect(db.put(long, 'a')).rejects.toMatchObject({ code: 'LEVEL_INVALID_KEY', cause: expect.any(RangeError) })
    await expect(
      db.batch([
        { type: 'put', key: 'a', value: '1' },
        { type: 'put', key: long, value: '1' },
      ]),
    ).rejects.toMatchObject({ code: 'LEVEL_INVALID_KEY' })
    expect(await db.keys().all()).toEqual([])
  })
})

describe('iterators', () => {
  test('highWaterMarkBytes ends nextv early, and not all', async () => {
    for (const [key, value] of ['a0', 'b1', 'c2', 'd3'].map((pair) => [...pair] as [string, string]))
      await db.put(key, value)
    const first = async (highWaterMarkBytes: number) => {
      await using iterator = db.iterator({ highWaterMarkBytes })
      return (await iterator.nextv(1000)).map(([key]) => key).join('')
    }
    expect(await first(0)).toBe('a')
    expect(await first(1)).toBe('a')
    expect(await first(2)).toBe('ab')
    expect(await first(1000)).toBe('abcd')
    expect(await db.keys({ highWaterMarkBytes: 0 }).all()).toEqual(['a', 'b', 'c', 'd'])
    await using keys = db.keys({ highWaterMarkBytes: 1 })
    expect(await keys.nextv(1000)).toEqual(['a', 'b'])
  })

  test('next, nextv and seek go together, both ways, and see one moment', async () => {
    await fill(3000)
    await using forward = db.iterator({ gte: '000010', lt: '002990' })
    await using reverse = db.keys({ gte: '000010', lt: '002990', reverse: true })
    await db.clear()
    await db.put('001500x', 'late')
    expect(await forward.next()).toEqual(['000010', 'value'])
    expect((await forward.nextv(2)).map(([key]) => key)).toEqual(['000011', '000012'])
    forward.seek('001500')
    expect(await forward.next()).toEqual(['001500', 'value'])
    expect(await forward.next()).toEqual(['001501', 'value'])
    forward.seek('002990')
    expect(await forward.next()).toBeUndefined()
    forward.seek('000005')
    expect(await forward.nextv(10)).toEqual([])
    forward.seek('002989')
    expect((await forward.nextv(10)).map(([key]) => key)).toEqual(['002989'])
    expect(await reverse.next()).toBe('002989')
    reverse.seek('001500x')
    expect(await reverse.nextv(2)).toEqual(['001500', '001499'])
    expect(await db.keys().all()).toEqual(['001500x'])
  })

  test('all of many entries, with a limit and without', async () => {
    await fill(4500)
    expect(await db.keys().all()).toHaveLength(4500)
    for (const limit of [0, 1, 999, 1000, 1001, 2000, 5000])
      expect(await db.values({ limit }).all()).toHaveLength(Math.min(limit, 4500))
    await using iterator = db.iterator({ limit: 2100 })
    await iterator.nextv(50)
    await iterator.next()
    expect(await iterator.all()).toHaveLength(2049)
  })

  test('an aborted one stops between pages', async () => {
    await fill(5000)
    const controller = new AbortController()
    const all = db.iterator({ signal: controller.signal }).all()
    setImmediate(() => controller.abort('enough'))
    await expect(all).rejects.toMatchObject({ name: 'AbortError', code: 'LEVEL_ABORTED', cause: 'enough' })
  })

  test('left open, they do not keep the database from closing', async () => {
    await fill(2000)
    for (let i = 0; i < 100; i++) {
      db.iterator()
      void db.iterator().next()
      void db.iterator({ highWaterMarkBytes: 0 }).nextv(5)
    }
    const reading = db.iterator()
    const read = async () => {
      while ((await reading.next()) !== undefined);
    }
    const refused = expect(read()).rejects.toMatchObject({ code: 'LEVEL_ITERATOR_NOT_OPEN' })
    await db.close()
    await refused
    await db.open()
    expect(await db.keys().all()).toHaveLength(2000)
  })
})

describe('the event loop turns while a program', () => {
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0
    let running = true
    const count = () => {
      turns++
      if (running) setImmediate(count)
    }
    setImmediate(count)
    await work()
    running = false
    return turns
  }

  test.each<[string, () => Promise<unknown>]>([
    [
      'iterates',
      async () => {
        for await (const _ of db.iterator({ highWaterMarkBytes: 2 ** 30 }));
      },
    ],
    ['asks for everything', () => db.values().all()],
    [
      'seeks',
      async () => {
        await using iterator = db.iterator()
        for (let i = 0; i < 10_000; i++) {
          iterator.seek('005000')
          await iterator.next()
        }
      },
    ],
    [
      'reads one by one',
      async () => {
        for (let i = 0; i < 10_000; i++) await db.get('000001')
      },
    ],
    [
      'writes one by one',
      async () => {
        for (let i = 0; i < 10_000; i++) await db.put('000001', 'a')
      },
    ],
  ])('%s', async (_name, work) => {
    await fill(10_000)
    expect(await turnsDuring(work)).toBeGreaterThanOrEqual(9)
  })
})

describe('snapshots', () => {
  test('see their moment through every read, flushes and compactions', async () => {
    await fill(500, 'before')
    await using snapshot = db.snapshot()
    await fill(500, 'after')
    await db.del('000003')
    await db.put('new', 'x')
    for (const settle of [() => {}, () => db.compactRange('', '\xff')]) {
      await settle()
      expect(db.getSync('000003', { snapshot })).toBe('before')
      expect(await db.get('000003', { snapshot })).toBe('before')
      expect(await db.getMany(['000003', 'new'], { snapshot })).toEqual(['before', undefined])
      expect(await db.has('new', { snapshot })).toBe(false)
      expect(await db.hasMany(['000003', 'new'], { snapshot })).toEqual([true, false])
      expect(new Set(await db.values({ snapshot }).all())).toEqual(new Set(['before']))
      expect(await db.get('000004')).toBe('after')
    }
  })

  test('clear with one removes what it sees, and no more', async () => {
    await fill(2500)
    await using snapshot = db.snapshot()
    await db.put('000000x', 'new')
    await db.clear({ snapshot, gte: '000000', lt: '002400' })
    expect((await db.keys({ limit: 2 }).all()).join()).toBe('000000x,002400')
  })
})

describe('clear', () => {
  test('of ranges, with limits, both ways', async () => {
    await fill(5000)
    await db.clear({ gte: '001000', lt: '002000' })
    expect(await db.keys().all()).toHaveLength(4000)
    await db.clear({ gt: '001999', limit: 1500 })
    expect((await db.keys({ gte: '002000', limit: 1 }).all())[0]).toBe('003500')
    await db.clear({ reverse: true, limit: 1400 })
    expect(await db.keys({ reverse: true, limit: 1 }).all()).toEqual(['003599'])
    await db.clear({ gte: '5', lt: '4' })
    expect(await db.keys().all()).toHaveLength(1100)
    await db.clear()
    expect(await db.keys().all()).toEqual([])
  })
})

describe('durability', () => {
  test('sync waits for the disk, in every kind of write', async () => {
    const sublevel = db.sublevel('sub')
    await Promise.all([
      db.put('a', '1', { sync: true }),
      db.del('b', { sync: true }),
      db.batch([{ type: 'put', key: 'c', value: '1' }], { sync: true }),
      db.batch().put('d', '1').write({ sync: true }),
      sublevel.batch([{ type: 'put', key: 'e', value: '1' }], { sync: true } as object),
    ])
    expect(await db.keys().all()).toEqual(['!sub!e', 'a', 'c', 'd'])
  })

  test('a batch over sublevels is one', async () => {
    const [one, two] = [db.sublevel('one'), db.sublevel('two')]
    await db.batch([
      { type: 'put', key: 'a', value: '1', sublevel: one as never },
      { type: 'put', key: 'a', value: '2', sublevel: two as never },
    ])
    expect([await one.get('a'), await two.get('a'), await db.keys().all()]).toEqual(['1', '2', ['!one!a', '!two!a']])
    await one.clear()
    expect(await db.keys().all()).toEqual(['!two!a'])
  })

  test('closing waits for what is pending', async () => {
    const operations: (() => Promise<unknown>)[] = [
      () => db.get('key'),
      () => db.put('key2', 'value'),
      () => db.put('key2', 'value', { sync: true }),
      () => db.del('key', { sync: true }),
      () => db.batch([{ type: 'del', key: 'key' }], { sync: true }),
      () => db.batch().del('key').write({ sync: true }),
      () => db.clear({ limit: 1 }),
      () => db.approximateSize('a', 'z'),
      () => db.compactRange('a', 'z'),
    ]
    for (const some of [...operations.map((operation) => [operation]), operations]) {
      let finished = false
      const work = Promise.all(some.map((operation) => operation())).then(() => {
        finished = true
      })
      await db.close()
      expect(finished, String(some)).toBe(true)
      await work
      await db.open()
    }
  })

  test('the files are the engine’s own', async () => {
    await db.put('a', '1')
    await db.close()
    await using store = await openStore(db.location)
    expect(Buffer.from(store.getSync(Buffer.from('a'))!).toString()).toBe('1')
  })
})

describe('approximateSize and compactRange', () => {
  test('want two arguments and an open database, and encode what they are given', async () => {
    const calls: string[] = []
    const keyEncoding = {
      name: 'test',
      format: 'utf8',
      encode: (key: string) => {
        calls.push(key)
        return key
      },
      decode: String,
    } as const
    for (const method of ['approximateSize', 'compactRange'] as const) {
      for (const args of [[], ['foo']] as unknown as [string, string][])
        await expect(db[method](...args)).rejects.toThrow(new TypeError("The arguments 'start' and 'end' are required"))
      if (method === 'compactRange') await db.compactRange('a', 'b', { keyEncoding })
      else await db.approximateSize('a', 'b', { keyEncoding })
      const closed = new CaskadeLevel(join(directory, method))
      const deferred = closed[method]('a', 'b')
      expect(closed.status).toBe('opening')
      await deferred
      await closed.close()
      await expect(closed[method]('a', 'b')).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' })
    }
    expect(calls).toEqual(['a', 'b', 'a', 'b'])
  })

  test('tell the size, and give space back', async () => {
    await fill(2000, 'x'.repeat(100))
    await db.compactRange('0', '9')
    const before = await db.approximateSize('0', '9')
    expect(before).toBeGreaterThan(2000)
    expect(await db.approximateSize('a', 'z')).toBeLessThan(before / 10)
    await db.clear({ lt: '001900' })
    await db.compactRange('0', '9')
    expect(await db.approximateSize('0', '9')).toBeLessThan(before / 2)
  })
})

test('getProperty has LevelDB’s names', async () => {
  const levels = [0, 1, 2, 3, 4, 5, 6]
  expect(() => db.getProperty({} as string)).toThrow(new TypeError("The first argument 'property' must be a string"))
  for (const name of ['foo', 'leveldb.foo', 'leveldb.num-files-at-level7', 'leveldb.num-files-at-level'])
    expect(db.getProperty(name)).toBe('')
  const files = () => levels.map((level) => Number(db.getProperty(`leveldb.num-files-at-level${level}`)))
  expect(files()).toEqual([0, 0, 0, 0, 0, 0, 0])
  expect(db.getProperty('leveldb.sstables')).toBe(levels.map((level) => `--- level ${level} ---\n`).join(''))
  expect(db.getProperty('leveldb.stats').split('\n').length).toBeGreaterThan(3)
  await fill(2000)
  await db.compactRange('0', '9')
  const tables = files().reduce((sum, count) => sum + count)
  expect(tables).toBeGreaterThan(0)
  expect(db.getProperty('leveldb.sstables')).toMatch(/--- level \d ---\n \d+ tables?, \d+ bytes\n/)
  expect(db.getProperty('leveldb.stats')).toMatch(/\n +\d +\d+ +\d+\.\d\n/)
  expect(Number(db.getProperty('leveldb.approximate-memory-usage'))).toBeGreaterThan(0)
  await db.close()
  expect(() => db.getProperty('leveldb.stats')).toThrow(expect.objectContaining({ code: 'LEVEL_DATABASE_NOT_OPEN' }))
})

test('options shape the store', async () => {
  const bytes = async (options: object) => {
    const location = mkdtempSync(join(directory, 'shaped-'))
    const shaped = new CaskadeLevel(location, options)
    await shaped.batch(
      Array.from({ length: 50 }, (_, i) => ({ type: 'put', key: String(i), value: 'a'.repeat(10_000) }) as const),
    )
    await shaped.compactRange('0', '9')
    const size = await shaped.approximateSize('0', '9')
    await shaped.close()
    return size
  }
  const common = { cacheSize: 1 << 20, writeBufferSize: 1 << 20, blockSize: 1024, maxFileSize: 1 << 20 }
  expect(await bytes({ ...common })).toBeLessThan(100_000)
  expect(await bytes({ ...common, compression: false, maxOpenFiles: 10, blockRestartInterval: 8 })).toBeGreaterThan(
    400_000,
  )
})

describe('destroy', () => {
  test('removes the database and its directory, and nothing else', async () => {
    await fill(2000)
    await expect(CaskadeLevel.destroy(db.location)).rejects.toMatchObject({ code: 'LEVEL_LOCKED' })
    await db.close()
    await CaskadeLevel.destroy(db.location)
    expect(existsSync(db.location)).toBe(false)
    await CaskadeLevel.destroy(db.location)
    expect(existsSync(db.location)).toBe(false)
    await db.open()
    await db.close()
    writeFileSync(join(db.location, 'foo'), 'FOO')
    await CaskadeLevel.destroy(db.location)
    expect(readdirSync(db.location)).toEqual(['foo'])
    await CaskadeLevel.destroy(db.location)
    expect(readFileSync(join(db.location, 'foo'), 'utf8')).toBe('FOO')
  })

  test('leaves other directories alone', async () => {
    const other = join(directory, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'foo.log'), 'FOO')
    await CaskadeLevel.destroy(other)
    expect(readdirSync(other)).toEqual(['foo.log'])
    for (const location of [undefined, ''])
      await expect(CaskadeLevel.destroy(location as string)).rejects.toThrow(
        new TypeError("The first argument 'location' must be a non-empty string"),
      )
  })
})

describe('repair', () => {
  test('brings back what checksums vouch for', async () => {
    await fill(2000)
    await db.compactRange('0', '9')
    await db.put('late', 'value')
    await db.close()
    const manifest = readdirSync(db.location).find((name) => name.startsWith('MANIFEST'))!
    truncateSync(join(db.location, manifest), 10)
    await expect(db.open()).rejects.toMatchObject({ cause: { code: 'LEVEL_CORRUPTION' } })
    await CaskadeLevel.repair(db.location)
    await db.open()
    expect(await db.keys().all()).toHaveLength(2001)
  })

  test('wants a directory', async () => {
    await expect(CaskadeLevel.repair(join(directory, 'none'))).rejects.toThrow(/no such file or directory/i)
    await expect(CaskadeLevel.repair('')).rejects.toThrow(
      new TypeError("The first argument 'location' must be a non-empty string"),
    )
  })
})
