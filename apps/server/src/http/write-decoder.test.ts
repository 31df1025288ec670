import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { JsonScanner, JsonSyntaxError } from '../json/json-scanner.js'
import { valueTag } from '../value-tag.js'
import { HttpError } from './http-error.js'
import { Operation, PutBody } from './kv-schema.js'
import { readWrite } from './write-decoder.js'

const now = 1_000_000
const limits = { valueBytesMax: 100, now }

function read(text: string, key?: string) {
  const scanner = new JsonScanner(Buffer.from(text))
  const write = readWrite(scanner, limits, key === undefined ? undefined : Buffer.from(key))
  scanner.finish()
  return { ...write, key: write.key.toString('latin1'), value: write.value.toString('latin1') }
}

describe('an operation', () => {
  test('keeps a value as it came, with what it was', () => {
    const put = { type: 'put', key: 'k', expiresAt: 0, writtenAt: now, condition: undefined }
    expect(read('{"key":"k","value":"a\\nb"}')).toEqual({ ...put, value: 'a\nb', tag: valueTag.text })
    expect(read('{"value": {"n": 1e400, "n": 1} , "key":"k"}')).toEqual({
      ...put,
      value: '{"n": 1e400, "n": 1}',
      tag: valueTag.json,
    })
    expect(read('{"key":"k","value":null}')).toEqual({ ...put, value: 'null', tag: valueTag.json })
    expect(read('{"key":"k","value":"AP8=","encoding":"base64"}')).toEqual({
      ...put,
      value: '\0\xff',
      tag: valueTag.binary,
    })
    expect(read('{"key":{"base64":"/w=="},"value":""}')).toEqual({ ...put, key: '\xff', value: '', tag: valueTag.text })
  })

  test('expiry and condition', () => {
    expect(read('{"value":1,"ttlSeconds":0.5}', 'k')).toMatchObject({ expiresAt: now + 500 })
    expect(read('{"value":1,"expiresAt":5}', 'k')).toMatchObject({ expiresAt: 5 })
    expect(read('{"value":1,"condition":"ifNotExists"}', 'k').condition).toEqual({ kind: 'equals', versions: [0] })
    expect(read('{"value":1,"condition":{"ifVersion":7}}', 'k').condition).toEqual({ kind: 'equals', versions: [7] })
    expect(read('{"type":"delete","key":"k"}')).toMatchObject({ type: 'delete', key: 'k' })
  })

  test.each([
    ['{"key":"k"}', 'needs "value"'],
    ['{"value":1}', 'needs "key"'],
    ['{"key":"","value":1}', 'a key has 1 to 65535 bytes, not 0'],
    [`{"key":"${'k'.repeat(65_536)}","value":1}`, 'not 65536'],
    ['{"key":7,"value":1}', 'a key: a string'],
    ['{"key":{},"value":1}', 'a key is a string, or {"base64"'],
    ['{"key":{"base64":"!"},"value":1}', 'not base64'],
    ['{"key":{"base64":"YQ==","x":1},"value":1}', 'no member "x"'],
    ['{"key":"\\ud800","value":1}', 'lone surrogate'],
    ['{"key":"k","value":"\\ud800"}', 'lone surrogate'],
    ['{"key":"k","value":1,"value":2}', 'names "value" twice'],
    ['{"key":"k","value":1,"ttl":2}', 'no member "ttl"'],
    ['{"key":"k","value":1,"__proto__":2}', 'no member "__proto__"'],
    ['{"key":"k","value":1,"ttlSeconds":0}', 'above 0'],
    ['{"key":"k","value":1,"ttlSeconds":-1}', 'above 0'],
    ['{"key":"k","value":1,"ttlSeconds":1e300}', 'above 0'],
    ['{"key":"k","value":1,"ttlSeconds":"5"}', 'expected a number'],
    ['{"key":"k","value":1,"ttlSeconds":5,"expiresAt":7}', 'not both'],
    ['{"key":"k","value":1,"expiresAt":1.5}', 'whole milliseconds'],
    ['{"key":"k","value":1,"encoding":"base64"}', 'the value is a string'],
    ['{"key":"k","value":"YQ","encoding":"base64"}', 'not base64'],
    ['{"key":"k","value":"a","encoding":"hex"}', '"encoding" is "base64"'],
    ['{"key":"k","value":1,"condition":"always"}', 'a condition is'],
    ['{"key":"k","value":1,"condition":{}}', 'ifVersion'],
    ['{"key":"k","value":1,"condition":{"ifVersion":-1}}', 'ifVersion'],
    ['{"key":"k","value":1,"condition":{"ifVersion":1.5}}', 'ifVersion'],
    ['{"type":"get","key":"k"}', '"put" or "delete"'],
    ['{"type":"delete","key":"k","value":1}', 'takes only'],
    [`{"key":"k","value":"${'x'.repeat(101)}"}`, 'at most 100 bytes'],
    ['[1]', 'an object with'],
    ['{"key":"k","value":1} x', 'the end'],
  ])('refuses %.60s', (text, message) => {
    expect(() => read(text)).toThrow(message)
    try {
      read(text)
    } catch (error) {
      expect(error instanceof HttpError || error instanceof JsonSyntaxError).toBe(true)
    }
  })

  test('the documented schemas agree with what is read', () => {
    const operation = Compile(Operation)
    const putBody = Compile(PutBody)
    const texts = [
      '{"key":"k","value":1}',
      '{"key":"k","value":"x","encoding":"base64"}',
      '{"key":{"base64":"YQ=="},"value":[]}',
      '{"type":"put","key":"k","value":{},"ttlSeconds":1}',
      '{"key":"k","value":1,"expiresAt":1}',
      '{"key":"k","value":1,"condition":"ifNotExists"}',
      '{"key":"k","value":1,"condition":{"ifVersion":0}}',
      '{"type":"delete","key":"k"}',
      '{"type":"delete","key":"k","condition":{"ifVersion":3}}',
      '{"key":"k"}',
      '{"value":1}',
      '{"key":"","value":1}',
      '{"key":1,"value":1}',
      '{"key":"k","value":1,"more":1}',
      '{"key":"k","value":1,"ttlSeconds":0}',
      '{"key":"k","value":1,"condition":"x"}',
      '{"key":"k","value":1,"condition":{"ifVersion":-1}}',
      '{"type":"delete","key":"k","value":1}',
      '{"type":"x","key":"k","value":1}',
      '{"key":"k","value":"x","encoding":"hex"}',
    ]
    const reads = (text: string, key?: string) => {
      try {
        read(text, key)
        return true
      } catch {
        return false
      }
    }
    // "x" as base64 is a matter of the value, which the schema leaves open.
    const open = '{"key":"k","value":"x","encoding":"base64"}'
    for (const text of texts) {
      if (text !== open) expect(operation.Check(JSON.parse(text)), text).toBe(reads(text))
      const body = JSON.stringify({ ...(JSON.parse(text) as object), key: undefined })
      if (text !== open) expect(putBody.Check(JSON.parse(body)), body).toBe(reads(body, 'k'))
    }
  })
})
