import { expect, test } from 'vitest'
import { ProtocolError } from './driver.js'
import { HttpResponseReader } from './http-response.js'

const plain = 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello'
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'

test.each([plain, chunked])('a body, whole or nothing', (text) => {
  const reader = new HttpResponseReader()
  const bytes = Buffer.from(text)
  expect(reader.next(bytes, 0, bytes.length)).toBe(bytes.length)
  expect([reader.status, reader.body.toString('utf8', reader.bodyStart, reader.bodyEnd)]).toEqual([200, 'hello'])
  for (let end = 0; end < bytes.length; end++) expect(reader.next(bytes, 0, end)).toBe(-1)
})

test('responses follow each other', () => {
  const bytes = Buffer.from(`${plain}HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n${chunked}`)
  const reader = new HttpResponseReader()
  let at = reader.next(bytes, 0, bytes.length)
  expect(at).toBe(plain.length)
  at = reader.next(bytes, at, bytes.length)
  expect([reader.status, reader.bodyEnd - reader.bodyStart]).toEqual([204, 0])
  expect(reader.next(bytes, at, bytes.length)).toBe(bytes.length)
})

test.each([
  '+PONG\r\n',
  'HTTP/1.1 200 OK\r\n\r\nno length',
  'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
])('%j is refused', (text) => {
  const bytes = Buffer.from(text)
  expect(() => new HttpResponseReader().next(bytes, 0, bytes.length)).toThrow(ProtocolError)
})
