import { setTimeout as sleep } from 'node:timers/promises'
import type { Option } from 'commander'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settingNamed } from '../config/settings.js'
import { benchFigures } from './bench-figures.js'
import { ImportWindow } from './import-window.js'
import { batchKeys, LineBatcher, lineKey } from './line-batcher.js'
import { createProgram } from './program.js'
import { printable, Table } from './table.js'

describe('lines in batches', () => {
  test('however the input is cut, the batches are its lines in order', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 12 })
    fc.assert(
      fc.property(
        fc.array(line),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        (lines, ended, cut, recordsMax, bytesMax) => {
          const text = lines.join('\n') + (ended ? '\n' : '')
          const batcher = new LineBatcher({ recordsMax, bytesMax, lineBytesMax: 100 }, 1000, 10)
          const batches = []
          for (let at = 0; at < text.length; at += cut)
            batches.push(...batcher.push(Buffer.from(text.slice(at, at + cut))))
          batches.push(...batcher.finish())
          expect(batches.map(({ bytes }) => bytes.toString()).join('')).toBe(text)
          let bytes = 1000
          let count = 10
          for (const batch of batches) {
            bytes += batch.bytes.length
            count += batch.lines
            expect(batch).toMatchObject({ endBytes: bytes, endLines: count })
            expect(batch.lines).toBeLessThanOrEqual(recordsMax)
            expect(
              batch.bytes
                .toString()
                .split('\n')
                .filter((part, i, all) => i < all.length - 1 || part !== ''),
            ).toHaveLength(batch.lines)
          }
        },
      ),
    )
  })

  test('a line without end is refused before it fills the memory', () => {
    const batcher = new LineBatcher({ recordsMax: 10, bytesMax: 100, lineBytesMax: 1000 })
    const push = () => [...batcher.push(Buffer.alloc(600, 'x'))]
    expect(push()).toEqual([])
    expect(push).toThrow('line 1 is longer than 1000 bytes')
  })

  test('keys, in whatever form', () => {
    const key = (text: string) => lineKey(Buffer.from(text), 0, Buffer.byteLength(text))
    expect(key('{"key": "a/b", "value": 1}')).toBe('a/b')
    expect(key('{"key":"a","value":1}')).toBe('a')
    expect(key('{"key": "\\u0061", "value": 1}')).toBe('a')
    expect(key(' { "value": {"key": "no"}, "key" : "a" }')).toBe('a')
    expect(key('{"key": {"base64": "YQ=="}, "value": 1}')).toBe('a')
    expect(key('{"key": "é"}')).toBe(Buffer.from('é').toString('latin1'))
    for (const text of ['{"key": "a', '{"value": 1}', 'x', '{"key": 1}', '']) expect(key(text), text).toBeUndefined()
    expect(batchKeys(Buffer.from('{"key":"a"}\n\n{"key":"b"}\n{"key":"a"}'))).toEqual(new Set(['a', 'b']))
  })
})

describe('batches under way', () => {
  const mark = (lines: number) => ({ bytes: lines * 10, lines })

  test('one key at a time, and the mark waits for the slowest', async () => {
    const window = new ImportWindow(4, mark(0))
    const finish: (() => void)[] = []
    const started: string[] = []
    const add = (name: string, keys: string[], end: number) =>
      window.add(new Set(keys), mark(end), () => {
        started.push(name)
        return new Promise<void>((resolve) => finish.push(resolve))
      })
    await add('first', ['a', 'b'], 1)
    await add('second', ['c'], 2)
    const third = add('third', ['b'], 3)
    await sleep(1)
    expect(started).toEqual(['first', 'second'])
    finish[1]!()
    await sleep(1)
    expect(window.acknowledged).toEqual(mark(0))
    finish[0]!()
    await third
    expect(started).toEqual(['first', 'second', 'third'])
    expect(window.acknowledged).toEqual(mark(2))
    finish[2]!()
    await window.settle()
    expect(window.acknowledged).toEqual(mark(3))
  })

  test('no more than the limit, and a failure stops it with the mark before it', async () => {
    const window = new ImportWindow(2, mark(0))
    let running = 0
    let most = 0
    const send = async () => {
      most = Math.max(most, ++running)
      await sleep(2)
      running--
    }
    for (let i = 1; i <= 6; i++) await window.add(new Set([`k${i}`]), mark(i), send)
    await window.settle()
    expect(most).toBe(2)
    await window.add(new Set(['x']), mark(7), () => Promise.reject(new Error('refused')))
    await window.add(new Set(['y']), mark(8), send).catch(() => {})
    await expect(window.settle()).rejects.toThrow('refused')
    expect(window.acknowledged).toEqual(mark(6))
  })
})

test('tables align, and cut a line that is too long', () => {
  const table = new Table([{ title: 'KEY' }, { title: 'N', right: true }, { title: 'VALUE' }], 20)
  const rows = [
    ['a', '1', 'x'],
    ['long-key', '1000', 'a value that does not fit'],
  ]
  table.fit(rows)
  expect(table.header() + table.rows(rows)).toBe('KEY          N  VAL…\na            1  x\nlong-key  1000  a v…\n')
  expect(printable('a\nb\x1b[2J\u0085\u2028')).toBe('a\\nb\\x1b[2J\\x85\\x2028')
})

test('benchmark figures', () => {
  const times = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(benchFigures('b', 1000, 2, times)).toEqual({
    bench: 'b',
    n: 1000,
    opsPerSec: 500,
    p50Us: 51,
    p99Us: 100,
    maxUs: 100,
  })
  expect(benchFigures('none', 0, 1, [])).toMatchObject({ p50Us: 0 })
})

test('every flag of every command is a setting', () => {
  const program = createProgram({ out: process.stdout, err: process.stderr, input: process.stdin }, {}, () => {})
  const commands = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))
  expect(commands.length).toBeGreaterThan(10)
  for (const command of commands)
    for (const option of command.options as Option[]) {
      const name = option.long!.replace(/^--(?:no-)?/, '')
      if (name !== 'config' && option.long !== '--no-config')
        expect(
          settingNamed.has(name) || settingNamed.has(option.long!.slice(2)),
          `${command.name()} ${option.long}`,
        ).toBe(true)
    }
})
