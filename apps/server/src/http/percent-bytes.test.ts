import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HttpError } from './http-error.js'
import { hideKeyInPath, parseQuery, percentDecode, percentEncode, revealKey } from './percent-bytes.js'

const keyOf = (url: string) => revealKey(hideKeyInPath(url).slice('/api/v1/kv/'.length)).toString('latin1')

describe('percent-encoded bytes', () => {
  test('encode and decode are inverses for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...percentDecode(percentEncode(bytes))]).toEqual([...bytes])
      }),
    )
  })

  test.each(['%', '%4', '%zz', 'a%g0'])('refuses %j', (text) => {
    expect(() => percentDecode(text)).toThrow(HttpError)
  })
})

describe('keys in paths', () => {
  test.each([
    ['/api/v1/kv/a', 'a'],
    ['/api/v1/kv/debian/0ad', 'debian/0ad'],
    ['/api/v1/kv/debian%2F0ad', 'debian/0ad'],
    ['/api/v1/kv/a%00%ff', 'a\0\xff'],
    ['/api/v1/kv/../x', '../x'],
    ['/api/v1/kv//x//', '/x//'],
    ['/api/v1/kv/%2e%2e%2f', '../'],
    ['/api/v1/kv/a+b', 'a+b'],
    ['/api/v1/kv/batch', 'batch'],
    ['/api/v1/kv/', ''],
  ])('%s is the key %j', (url, key) => {
    expect(keyOf(url)).toBe(key)
  })

  test('the query stays, other paths and badly encoded ones stay whole', () => {
    expect(hideKeyInPath('/api/v1/kv/a?ttlSeconds=5')).toBe('/api/v1/kv/~YQ?ttlSeconds=5')
    for (const url of ['/api/v1/kv?prefix=a', '/metrics', '/API/v1/kv/a', '//api/v1/kv/a', '/api/v1/kv/%zz'])
      expect(hideKeyInPath(url)).toBe(url)
    expect(hideKeyInPath('/api/v1/kv/batch', false)).toBe('/api/v1/kv/batch')
    for (const url of ['/api/v1/%6bv/a', '/%6detrics', '/..%2fmetrics?a=%41']) expect(hideKeyInPath(url)).toBe('/-')
    expect(hideKeyInPath('/api/v1/kv/%62atch', false)).toBe('/-')
  })
})

describe('queries', () => {
  test('values are bytes, plus is a space', () => {
    expect({ ...parseQuery('prefix=a%ff+b&limit=3&values=&flag') }).toEqual({
      prefix: 'a\xff b',
      limit: '3',
      values: '',
      flag: '',
    })
  })

  test('a name given twice is refused; __proto__ is a name like others', () => {
    expect(() => parseQuery('a=1&a=2')).toThrow('names "a" twice')
    expect(Object.keys(parseQuery('__proto__=1'))).toEqual(['__proto__'])
  })
})
