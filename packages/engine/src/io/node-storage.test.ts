import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LockTaker, lockFile, lockTakers, takeByFlockCommand, takeByPerl } from './file-lock.js'
import { installedMmap } from './load-mmap.js'
import { nodeStorage, openNodeStorage } from './node-storage.js'
import { storageSuite } from './storage-suite.js'

const bodies = [
  { name: 'mapped', make: () => openNodeStorage() },
  { name: 'not mapped', make: () => openNodeStorage({ mmap: 'off' }) },
  { name: 'without FFI', make: () => nodeStorage(undefined, undefined) },
]

for (const { name, make } of bodies) storageSuite(name, make)

const run = promisify(execFile)
const child = fileURLToPath(new URL('./node-storage.test.child.js', import.meta.url))

/** A file system of 1 MiB, `undefined` where this process may not mount one. */
const tinyDisk = mountTinyDisk()
afterAll(() => {
  if (!tinyDisk) return
  execFileSync('umount', [tinyDisk])
  rmSync(tinyDisk, { recursive: true })
})

function mountTinyDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-tiny-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' })
    return directory
  } catch {
    rmSync(directory, { recursive: true })
    return undefined
  }
}

/** Whether system calls can be made to fail from outside. */
const tracing = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-node-storage-'))
  path = join(directory, 'file')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('maps here', () => {
  expect(bodies.map(({ make }) => make().mapped)).toEqual([true, false, false])
})

describe.each(bodies)('$name', ({ make }) => {
  test('nobody else may read', () => {
    const storage = make()
    const made = join(directory, 'made')
    storage.makeDirectory(made)
    storage.create(join(made, 'table')).close()
    storage.createSegment(join(made, 'segment'), 100).close()
    storage.lock(join(made, 'LOCK'), 'exclusive').release()
    const mode = (name: string) => statSync(join(made, name)).mode & 0o777
    expect(mode('.')).toBe(0o700)
    expect([mode('table'), mode('segment'), mode('LOCK')]).toEqual([0o600, 0o600, 0o600])
  })

  test('symbolic links are not followed', () => {
    const storage = make()
    writeFileSync(join(directory, 'target'), 'precious')
    symlinkSync(join(directory, 'target'), path)
    const actions = [
      () => storage.append(path, 0),
      () => storage.open(path),
      () => storage.openSegment(path),
      () => storage.createSegment(path, 10),
      () => storage.lock(path, 'exclusive'),
    ]
    for (const action of actions) expect(action).toThrow(/ELOOP|EEXIST/)
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('precious')
  })

  test('segments take their space at once', () => {
    const segment = make().createSegment(path, 1024 * 1024)
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(1024 * 1024)
    segment.close()
  })

  test('or as much of it as was asked for', () => {
    const segment = make().createSegment(path, 8 * 1024 * 1024, 64 * 1024)
    const blocksBytes = () => statSync(path).blocks * 512
    if (process.platform !== 'darwin') expect(blocksBytes()).toBeLessThan(1024 * 1024)
    segment.allocate(4 * 1024 * 1024)
    expect(blocksBytes()).toBeGreaterThanOrEqual(4 * 1024 * 1024)
    if (process.platform !== 'darwin') expect(blocksBytes()).toBeLessThan(6 * 1024 * 1024)
    segment.close()
  })

  test('a segment that is complete gives its memory back in pieces, and reads as before', () => {
    const path = join(directory, 'segment')
    const capacity = 9 * 1024 * 1024
    const storage = make()
    const segment = storage.createSegment(path, capacity, capacity)
    segment.bytes.fill(7)
    segment.commit(0, capacity)
    const residentBytes = () => {
      const maps = readFileSync('/proc/self/smaps', 'latin1')
      return 1024 * Number(/^Rss: +(\d+) kB$/m.exec(maps.slice(maps.indexOf(path)))![1])
    }
    if (process.platform === 'linux' && storage.mapped) expect(residentBytes()).toBeGreaterThan(8 * 1024 * 1024)
    let pieces = 0
    while (segment.shed(capacity)) pieces++
    expect(pieces).toBe(storage.mapped ? 2 : 0)
    if (process.platform === 'linux' && storage.mapped) expect(residentBytes()).toBeLessThan(2 * 1024 * 1024)
    expect(segment.bytes.every((byte) => byte === 7)).toBe(true)
    segment.close()
    expect(segment.shed(capacity)).toBe(false)
  })

  test.skipIf(!tinyDisk)('a full disk shows when a segment gets more space; what it has stays good', () => {
    const storage = make()
    const full = join(tinyDisk!, 'segment')
    const segment = storage.createSegment(full, 4 * 1024 * 1024, 64 * 1024)
    segment.allocate(512 * 1024)
    expect(() => segment.allocate(4 * 1024 * 1024)).toThrow(
      expect.objectContaining({ code: 'CASKADE_DISK_FULL', message: expect.stringContaining(full) }),
    )
    const { allocated } = segment
    expect(allocated).toBe(512 * 1024)
    segment.bytes.fill(1, 0, allocated)
    segment.commit(0, allocated)
    segment.close()
    storage.remove(full)
  })

  test.skipIf(!tinyDisk)(
    'a full disk shows when a segment is created; nothing is left, and room found again is used',
    () => {
      const storage = make()
      const full = join(tinyDisk!, 'segment')
      for (let round = 0; round < 3; round++) {
        expect(() => storage.createSegment(full, 2 * 1024 * 1024)).toThrow(
          expect.objectContaining({ code: 'CASKADE_DISK_FULL', message: expect.stringContaining(full) }),
        )
        expect(storage.list(tinyDisk!)).toEqual([])
        const segment = storage.createSegment(full, 900 * 1024)
        segment.bytes.fill(1)
        segment.commit(0, segment.capacity)
        segment.close()
        expect(() => storage.createSegment(`${full}2`, 900 * 1024)).toThrow(/ENOSPC.*free some space/)
        storage.remove(full)
      }
    },
  )

  test.skipIf(!tinyDisk)('an append that only partly fits is an error and leaves no part', () => {
    const storage = make()
    const full = join(tinyDisk!, 'table')
    const file = storage.create(full)
    file.append(Buffer.from('whole'))
    expect(() => file.append(new Uint8Array(3 * 1024 * 1024))).toThrow(
      expect.objectContaining({ code: 'CASKADE_DISK_FULL', cause: expect.objectContaining({ code: 'ENOSPC' }) }),
    )
    expect([file.length, storage.size(full)]).toEqual([5, 5])
    file.append(Buffer.from(', again'))
    file.close()
    expect(readFileSync(full, 'latin1')).toBe('whole, again')
    storage.remove(full)
  })

  test.skipIf(!tinyDisk)('a full disk can be locked', () => {
    const storage = make()
    const lock = storage.lock(join(tinyDisk!, 'LOCK'), 'exclusive')
    lock.release()
    storage.remove(join(tinyDisk!, 'LOCK'))
  })

  test('after a failed sync nothing more is written or synced', async () => {
    // A device that takes writes but has no fdatasync (EINVAL).
    const file = make().append('/dev/null', 0)
    file.append(Buffer.from('x'))
    const [first, second] = await Promise.allSettled([file.syncLater(), file.syncLater()])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'CASKADE_IO' } })
    const { reason } = first as PromiseRejectedResult
    expect(second).toMatchObject({ status: 'rejected', reason })
    expect(() => file.append(Buffer.from('y'))).toThrow(reason)
    expect(() => file.sync()).toThrow(reason)
    file.close()
  })

  test('reading a directory as a file says so', () => {
    const storage = make()
    expect(() => {
      const file = storage.open(directory)
      file.read(new Uint8Array(1), 0, 1, 0)
    }).toThrow(/EISDIR/)
  })
})

test.each(['auto', 'off'])('mmap %s: what was committed survives kill -9', async (mmap) => {
  await expect(run(process.execPath, [child, 'die', path, mmap])).rejects.toMatchObject({ signal: 'SIGKILL' })
  const segment = openNodeStorage({ mmap: mmap as 'auto' | 'off' }).openSegment(path)
  expect(Buffer.from(segment.bytes.subarray(4999, 5010)).toString()).toBe('\0committed\0')
  segment.close()
})

test.skipIf(!tracing).each(['auto', 'off'])(
  'mmap %s: a segment whose sync failed once is never trusted again',
  async (mmap) => {
    const inject = ['-f', '-o', '/dev/null', '-e', 'inject=fdatasync:error=EIO:when=1']
    const { stdout } = await run('strace', [...inject, process.execPath, child, 'sync', path, mmap])
    const failed = 'CASKADE_IO'
    expect(JSON.parse(stdout)).toEqual(['done', failed, failed, failed, failed, 'done'])
  },
)

describe('lock', () => {
  const takers: [string, LockTaker[]][] = [
    ['flock(2)', lockTakers(installedMmap)],
    ['flock command', [takeByFlockCommand]],
    ['perl', [takeByPerl]],
  ]

  async function holder(mmap: 'auto' | 'off') {
    const owner = spawn(process.execPath, [child, 'lock', path, mmap], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(owner.stdout, 'data')
    return owner
  }

  test.each(takers)(
    '%s sees the lock of another process, running or stopped, and takes it when that dies',
    async (_, taker) => {
      const owner = await holder('auto')
      try {
        const held = expect.objectContaining({ code: 'CASKADE_LOCKED', pid: owner.pid })
        expect(() => lockFile(path, 'exclusive', taker)).toThrow(held)
        owner.kill('SIGSTOP')
        expect(() => lockFile(path, 'exclusive', taker)).toThrow(held)
      } finally {
        owner.kill('SIGKILL')
        await once(owner, 'exit')
      }
      lockFile(path, 'exclusive', taker).release()
    },
  )

  test.each(takers)('%s excludes every other way, in this process', (_, taker) => {
    const lock = lockFile(path, 'exclusive', taker)
    for (const [, other] of takers) {
      expect(() => lockFile(path, 'exclusive', other)).toThrow(
        expect.objectContaining({ code: 'CASKADE_LOCKED', pid: process.pid }),
      )
    }
    lock.release()
    for (const [, other] of takers) lockFile(path, 'exclusive', other).release()
  })

  test('a worker of the same process is refused', async () => {
    const lock = openNodeStorage().lock(path, 'exclusive')
    const module = new URL('./node-storage.js', import.meta.url).href
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       import(workerData.module).then(({ openNodeStorage }) => openNodeStorage().lock(workerData.path, 'exclusive'))
         .then(() => parentPort.postMessage('locked'), (error) => parentPort.postMessage(error.code))`,
      { eval: true, workerData: { module, path } },
    )
    const [answer] = await once(worker, 'message')
    expect(answer).toBe('CASKADE_LOCKED')
    await worker.terminate()
    lock.release()
  })

  test('an owner that cannot be seen is not named', () => {
    const lock = openNodeStorage().lock(path, 'exclusive')
    for (const note of ['', 'not a number', `${2 ** 22 + 1}\n`]) {
      writeFileSync(path, note)
      expect(() => openNodeStorage().lock(path, 'exclusive')).toThrow(
        expect.objectContaining({ pid: undefined, message: expect.stringContaining('another process') }),
      )
    }
    lock.release()
  })

  test('without any way to lock, the error says what to install', () => {
    expect(() => lockFile(path, 'exclusive', [() => undefined])).toThrow(/install koffi/)
  })
})

test('without @caskade/mmap the same module runs unmapped', async () => {
  const bare = join(directory, 'bare')
  const built = fileURLToPath(new URL('..', import.meta.url))
  mkdirSync(bare)
  cpSync(join(built, 'io'), join(bare, 'io'), { recursive: true })
  cpSync(join(built, 'errors.js'), join(bare, 'errors.js'))
  writeFileSync(join(bare, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(bare, 'main.js'),
    `import { openNodeStorage } from './io/node-storage.js'
     const storage = openNodeStorage()
     const segment = storage.createSegment(process.argv[2], 4096)
     storage.lock(process.argv[2] + '.lock', 'exclusive').release()
     console.log(storage.mapped, segment.capacity)`,
  )
  const { stdout } = await run(process.execPath, [join(bare, 'main.js'), path])
  expect(stdout.trim()).toBe('false 4096')
})
