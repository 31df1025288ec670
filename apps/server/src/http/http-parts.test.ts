import { describe, expect, test } from 'vitest'
import { preferredType } from './accept.js'
import { hostName, isLoopback, passwordChecker } from './authorization.js'
import { ByteBudget } from './byte-budget.js'
import { errorAnswer, HttpError } from './http-error.js'
import { ListQuery } from './kv-schema.js'
import { decodeCursor, encodeCursor } from './list-cursor.js'
import { queryValidator } from './query-validator.js'
import { valueJson } from './record-json.js'

describe('Accept', () => {
  const offered = ['application/json', 'application/octet-stream'] as const
  test.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/octet-stream', 'application/octet-stream'],
    ['Application/Octet-Stream; q=0.9, application/json;q=0.5', 'application/octet-stream'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json'],
  ])('%j gives %s', (accept, type) => {
    expect(preferredType(accept, offered)).toBe(type)
  })

  test('nothing acceptable is said so', () => {
    expect(() => preferredType('text/html', offered)).toThrow('application/json or application/octet-stream')
    expect(() => preferredType('application/json;q=0', offered)).toThrow(HttpError)
  })
})

describe('authorization', () => {
  test('Bearer and Basic with the password, and nothing else', () => {
    const check = passwordChecker('pässword: 1')
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    expect(passwordChecker('secret')('Bearer secret')).toBe(true)
    expect(passwordChecker('secret')('bearer secret ')).toBe(true)
    expect(check(basic('default:pässword: 1'))).toBe(true)
    expect(check(basic(':pässword: 1'))).toBe(true)
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Bearer no',
      'Digest secret',
      basic('pässword: 1'),
      basic('a:b'),
      'Basic ?',
    ])
      expect(check(header), String(header)).toBe(false)
    expect(passwordChecker('')(undefined)).toBe(false)
  })

  test('loopback names and addresses', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])
      expect(isLoopback(host), host).toBe(true)
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.org', 'localhost.evil.org', '', '1127.0.0.1'])
      expect(isLoopback(host), host).toBe(false)
    expect([hostName('localhost:7380'), hostName('[::1]:7380'), hostName('[::1]')]).toEqual([
      'localhost',
      '[::1]',
      '[::1]',
    ])
  })
})

test('a byte budget refuses what does not fit, and takes nothing then', () => {
  const budget = new ByteBudget(10)
  expect([budget.take(6), budget.take(5), budget.take(4), budget.take(1)]).toEqual([true, false, true, false])
  budget.give(10)
  expect(budget.used).toBe(0)
})

describe('errors', () => {
  test('keep known codes and hide the inside of unknown ones', () => {
    expect(errorAnswer(new HttpError('CASKADE_NOT_FOUND', 'no'))).toMatchObject({ status: 404, message: 'no' })
    expect(errorAnswer(Object.assign(new Error('full'), { code: 'CASKADE_DISK_FULL' }))).toMatchObject({ status: 507 })
    expect(errorAnswer(Object.assign(new Error('x'), { code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }))).toMatchObject({
      status: 415,
    })
    expect(errorAnswer(new TypeError('secret inside'))).toMatchObject({ status: 500, code: 'CASKADE_INTERNAL' })
    expect(JSON.stringify(errorAnswer(new TypeError('secret inside')))).not.toContain('secret')
    expect(errorAnswer(Object.assign(new Error('x'), { code: 'toString' }))).toMatchObject({ status: 500 })
  })
})

describe('cursors', () => {
  test('round-trip any key, and refuse what was not made here', () => {
    for (const key of [Buffer.from('a'), Buffer.from([0, 255]), Buffer.alloc(65_535, 7)])
      expect(decodeCursor(encodeCursor(key))).toEqual(key)
    for (const cursor of ['', 'a', 'b', 'aYQ==', 'a!!', 'bYQ', 'aYR'])
      expect(() => decodeCursor(cursor), cursor).toThrow('cursor')
  })
})

describe('the query of a listing', () => {
  const validate = queryValidator(ListQuery)
  test('converts by the schema', () => {
    expect(validate({ text: 'limit=5&values=false&prefix=7' })).toEqual({
      value: { limit: 5, values: false, prefix: '7' },
    })
    expect(validate({ text: '' })).toEqual({ value: {} })
  })
  test.each([
    'limit=0',
    'limit=1001',
    'limit=1.5',
    'limit=x',
    'limit=',
    'values=1',
    'prefx=a',
    'a',
    'limit=%zz',
    'limit=1&limit=2',
    '__proto__=1',
  ])('refuses %j', (text) => {
    expect(validate({ text })).toMatchObject({ error: { code: 'CASKADE_BAD_REQUEST' } })
  })
})

test('bytes that are not what their tag says are shown as base64', () => {
  const broken = Buffer.from([0x61, 0xff])
  for (const tag of [0, 1, 3])
    expect(valueJson(broken, tag)).toEqual({ json: Buffer.from('"Yf8="'), encoding: 'base64' })
  expect(valueJson(Buffer.from('é'), 0)).toEqual({ json: Buffer.from('"é"'), encoding: undefined })
})
