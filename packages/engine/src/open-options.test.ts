import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from './open.js'

test.each([
  ['store', 'leveldb', TypeError, /'lsm' or 'bitcask'.*not "leveldb"/],
  ['durability', 'always', TypeError, /'os' or 'interval' or 'sync'.*"always"/],
  ['syncIntervalMs', 0, RangeError, /whole number of milliseconds from 1.*not 0/],
  ['syncIntervalMs', 2 ** 31, RangeError, /not 2147483648/],
  ['syncIntervalMs', '100', TypeError, /not "100"/],
  ['memtableBytes', 100, RangeError, /bytes from 8192.*not 100/],
  ['memtableBytes', 2 ** 40, RangeError, /not 1099511627776/],
  ['memtableBytes', 1e5 + 0.5, RangeError, /not 100000.5/],
  ['cacheBytes', -1, RangeError, /not -1/],
  ['cacheBytes', Number.NaN, RangeError, /not NaN/],
  ['bloomBitsPerKey', 1000, RangeError, /bits from 0 to 64, not 1000/],
  ['mmap', true, TypeError, /'auto' or 'off', not true/],
  ['readOnly', 'yes', TypeError, /a boolean, not "yes"/],
  ['clock', 17, TypeError, /a function, not 17/],
  ['onEvent', {}, TypeError, /a function, not a value of type object/],
  ['memtablebytes', 1 << 20, TypeError, /no option "memtablebytes"; it has store, durability/],
] as const)('the option %s as %j is refused by name, and nothing is made', async (name, value, type, message) => {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-options-'))
  try {
    const opening = openStore(directory, { [name]: value })
    await expect(opening).rejects.toThrow(type)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toThrow(name)
    expect(readdirSync(directory)).toEqual([])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test.each(['', 'a\0b', undefined, 7])('the directory %j is refused', async (directory) => {
  await expect(openStore(directory as string)).rejects.toThrow(TypeError)
})
