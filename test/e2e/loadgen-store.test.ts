import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { loadgenMain } from '@caskade/loadgen'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { caskadePath } from '../server-process.js'

const paint = { bold: String, dim: String, red: String, yellow: String }
let before: string | undefined
beforeEach(() => {
  before = process.env.CASKADE_BIN
})
afterEach(() => {
  if (before === undefined) delete process.env.CASKADE_BIN
  else process.env.CASKADE_BIN = before
})

async function loadgen(command: string, ...args: string[]) {
  process.env.CASKADE_BIN = command
  const out: string[] = []
  const notes: string[] = []
  const output = { out: (text: string) => out.push(text), note: (text: string) => notes.push(text), paint }
  const code = await loadgenMain(args, output, new AbortController().signal)
  return { code, out, notes: notes.join('\n') }
}

const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('caskade-loadgen-'))

test('the same load on a node of each backend, compared, and nothing of them left', async () => {
  const there = left()
  const small = ['-r', '200', '-n', '2000', '-c', '4', '--warmup', '0s', '--quiet', '--json']
  const { code, out, notes } = await loadgen(caskadePath, '--store', 'lsm,bitcask', '--verify', ...small)
  expect(notes).toBe('')
  expect(code).toBe(0)
  const lines = out.map((line) => JSON.parse(line))
  const whole = lines.filter(({ operation, ratio }) => operation === undefined && ratio === undefined)
  expect(whole.map(({ subject, phase, violationCount }) => [subject, phase, violationCount ?? 0])).toEqual([
    ['caskade-lsm', 'load', 0],
    ['caskade-lsm', 'run', 0],
    ['caskade-bitcask', 'load', 0],
    ['caskade-bitcask', 'run', 0],
  ])
  expect(lines.filter(({ ratio }) => ratio > 0)).toMatchObject([
    { phase: 'load', subject: 'caskade-bitcask', bestPeer: 'caskade-lsm' },
    { phase: 'run', subject: 'caskade-bitcask', bestPeer: 'caskade-lsm' },
  ])
  expect(left()).toEqual(there)
}, 60_000)

test('a node that does not start is said, with what to do', async () => {
  const { code, notes } = await loadgen('/nonexistent/caskade', '--store', 'bitcask')
  expect(code).toBe(2)
  expect(notes).toMatch(
    /no bitcask node could be started with '\/nonexistent\/caskade' \(CASKADE_BIN names another\): .*ENOENT/,
  )
})

test.each([
  [['--store', 'rocksdb'], '--store takes lsm, bitcask'],
  [['--store', 'lsm,lsm'], 'each backend once'],
  [['--store', 'lsm', '--target', '127.0.0.1:1'], 'give one of them'],
  [['--store', 'lsm', '--phase', 'run'], 'without records'],
  [['--store', 'lsm,bitcask', '--html', 'x.html'], 'give one --store'],
])('%j is refused', async (args, reason) => {
  const { code, notes } = await loadgen('/nonexistent', ...args)
  expect(code).toBe(2)
  expect(notes).toContain(reason)
})
