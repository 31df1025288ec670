import { expect, test } from 'vitest'
import { ProtocolError } from './driver.js'
import { RespReader } from './resp-reader.js'

function readAll(text: string): string[] {
  const bytes = Buffer.from(text)
  const reader = new RespReader()
  const seen: string[] = []
  for (let at = 0; at < bytes.length; ) {
    at = reader.next(bytes, at, bytes.length)
    if (at < 0) return [...seen, 'incomplete']
    const type = String.fromCharCode(reader.type)
    seen.push(
      ':*'.includes(type)
        ? `${type}${reader.integer}`
        : `${type}${reader.start < 0 ? 'null' : bytes.toString('utf8', reader.start, reader.end)}`,
    )
  }
  return seen
}

test('values of both versions of the protocol', () => {
  expect(readAll('+OK\r\n-ERR no\r\n:-12\r\n$5\r\nhe\r\no\r\n$-1\r\n_\r\n*2\r\n$0\r\n\r\n$1\r\nx\r\n*-1\r\n')).toEqual([
    '+OK',
    '-ERR no',
    ':-12',
    '$he\r\no',
    '$null',
    '_null',
    '*2',
    '$',
    '$x',
    '*-1',
  ])
})

test.each(['+OK\r\n', '-ERR no\r\n', ':12\r\n', '$5\r\nhello\r\n', '$-1\r\n', '_\r\n', '*2\r\n'])(
  '%j is incomplete until its last byte',
  (text) => {
    for (let length = 1; length < text.length; length++) expect(readAll(text.slice(0, length))).toEqual(['incomplete'])
  },
)

test('what is no reply, or too large a one, is refused', () => {
  expect(() => readAll('HTTP/1.1 400 Bad Request\r\n')).toThrow(ProtocolError)
  expect(() => readAll('$x\r\n')).toThrow(ProtocolError)
  expect(() => readAll('$99999999999\r\n')).toThrow(/bulk string of 99999999999 bytes/)
})
