import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CaskadeLevel } from '../caskade-level.js'
import { convertCli } from './convert-cli.js'

let directory: string
let source: string
let target: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caskade-convert-'))
  source = join(directory, 'leveldb')
  target = join(directory, 'new', 'caskade')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const bin = fileURLToPath(new URL('../bin/caskade-level.js', import.meta.url))
const bytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const

// As text, for vitest compares buffers byte by byte.
const asText = (records: [Buffer, Buffer][]) =>
  records.map(([key, value]) => `${key.toString('hex')} ${createHash('sha256').update(value).digest('hex')}`)

/** Writes to the source, and tells what is in it then. */
async function classic(write: (db: ClassicLevel<Buffer, Buffer>) => Promise<unknown>): Promise<string[]> {
  const db = new ClassicLevel<Buffer, Buffer>(source, bytes)
  await write(db)
  const records = await db.iterator().all()
  await db.close()
  return asText(records)
}

async function caskade(): Promise<string[]> {
  await using db = new CaskadeLevel<Buffer, Buffer>(target, { ...bytes, createIfMissing: false })
  return asText(await db.iterator().all())
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await convertCli(args, directory, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
  })
  return { code, out, err }
}

/** Compacted, overwritten, deleted, empty, of zeros, large, and what is only in its log. */
const everything = async (db: ClassicLevel<Buffer, Buffer>) => {
  for (let round = 0; round < 3; round++)
    await db.batch(
      Array.from({ length: 5000 }, (_, i) => ({
        type: 'put' as const,
        key: Buffer.from(`key ${i * (round + 1)}`),
        value: Buffer.from(`round ${round}, ${'x'.repeat(i % 300)}`),
      })),
    )
  await db.compactRange(Buffer.from('key'), Buffer.from('kez'))
  await db.clear({ gte: Buffer.from('key 2'), lt: Buffer.from('key 3') })
  for (const key of [[], [0], [0, 0], [0, 0, 1], [255]]) await db.put(Buffer.from(key), Buffer.from(key))
  await db.put(Buffer.from('large'), Buffer.alloc(3 << 20, 7))
}

test('copies every record, verified, and leaves the source as it was', async () => {
  const expected = await classic(everything)
  const { code, out, err } = await run('convert', source, target)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain(`${expected.length.toLocaleString('en-US')} records`)
  expect(out).toContain('verified')
  expect(await caskade()).toEqual(expected)
  expect(await classic(async () => {})).toEqual(expected)
  expect(readdirSync(join(directory, 'new'))).toEqual(['caskade'])
})

test('an empty database, into an empty directory, unverified', async () => {
  await classic((db) => db.open())
  mkdirSync(target, { recursive: true })
  const { code, out } = await run('convert', '--no-verify', source, target)
  expect(code).toBe(0)
  expect(out).toContain('0 records, 0.0 MiB, not verified')
  expect(await caskade()).toEqual([])
})

test('says what is wrong with its arguments, and makes nothing', async () => {
  await classic(everything)
  mkdirSync(join(directory, 'plain'))
  mkdirSync(join(directory, 'full'))
  writeFileSync(join(directory, 'full', 'a'), '')
  const failures: [string[], number, RegExp][] = [
    [[], 2, /Usage/],
    [['convert', source], 2, /Usage/],
    [['convert', source, target, 'more'], 2, /Usage/],
    [['--wrong'], 2, /--wrong/],
    [['convert', join(directory, 'none'), target], 1, /none does not exist/],
    [['convert', join(directory, 'plain'), target], 1, /plain is not a LevelDB directory/],
    [['convert', source, join(directory, 'full')], 1, /full exists and is not an empty directory/],
    [['convert', source, join(directory, 'full', 'a')], 1, /exists and is not an empty directory/],
  ]
  for (const [args, code, message] of failures) {
    const failed = await run(...args)
    expect(failed.code, args.join(' ')).toBe(code)
    expect(failed.err).toMatch(message)
  }
  expect(existsSync(target)).toBe(false)
  expect((await run('--help')).out).toContain('Usage')
})

test('a source in use is refused', async () => {
  await classic(everything)
  const db = new ClassicLevel(source)
  await db.open()
  const { code, err } = await run('convert', source, target)
  await db.close()
  expect(code).toBe(1)
  expect(err).toMatch(/cannot open .*lock/i)
})

test('a key that is too long stops it, and nothing is left', async () => {
  await classic((db) => db.put(Buffer.alloc(70_000, 'k'), Buffer.alloc(1)))
  const { code, err } = await run('convert', source, target)
  expect(code).toBe(1)
  expect(err).toMatch(/the key "k+"… has 70000 bytes/)
  expect(readdirSync(join(directory, 'new'))).toEqual([])
})

test('killed on its way it leaves no target, and the next run begins anew', async () => {
  const expected = await classic(everything)
  for (const delayMs of [150, 300, 500]) {
    const child = spawn(process.execPath, [bin, 'convert', source, target], { stdio: 'ignore' })
    setTimeout(() => child.kill('SIGKILL'), delayMs)
    const [code] = await once(child, 'exit')
    if (code === 0) rmSync(target, { recursive: true })
    expect(existsSync(target)).toBe(false)
  }
  expect((await run('convert', source, target)).code).toBe(0)
  expect(await caskade()).toEqual(expected)
  expect(readdirSync(join(directory, 'new'))).toEqual(['caskade'])
})

test('takes the classic-level of the project, also through level', async () => {
  await classic((db) => db.open())
  const fake = (path: string, name: string) => {
    mkdirSync(join(path, name), { recursive: true })
    writeFileSync(join(path, name, 'package.json'), JSON.stringify({ name, main: 'index.js' }))
    const open = 'async open() { throw new Error("this is " + __dirname) }'
    writeFileSync(join(path, name, 'index.js'), `exports.ClassicLevel = class { ${open} }`)
  }
  const convertHere = async () => {
    const child = spawn(process.execPath, [bin, 'convert', source, target], {
      cwd: directory,
      // Where pnpm's shims put everything that is installed here.
      env: { ...process.env, NODE_PATH: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let err = ''
    child.stderr.on('data', (text) => {
      err += text
    })
    await once(child, 'close')
    return err
  }
  const modules = join(realpathSync(directory), 'node_modules')
  fake(modules, 'level')
  fake(join(modules, 'level', 'node_modules'), 'classic-level')
  expect(await convertHere()).toContain(`this is ${join(modules, 'level', 'node_modules', 'classic-level')}\n`)
  fake(modules, 'classic-level')
  expect(await convertHere()).toContain(`this is ${join(modules, 'classic-level')}\n`)
})
