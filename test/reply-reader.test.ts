import { expect, test } from 'vitest'
import { encodeCommand, ReplyError, ReplyReader } from './reply-reader.js'

const stream = '+OK\r\n-ERR no\r\n:-7\r\n$5\r\na\r\nbc\r\n$-1\r\n*3\r\n$2\r\nhi\r\n:1\r\n*0\r\n$0\r\n\r\n'
const replies = ['OK', new ReplyError('ERR no'), -7, 'a\r\nbc', null, ['hi', 1, []], '']

test.each([1, 2, 3, 7, 1000])('replies in pieces of %i bytes', (size) => {
  const reader = new ReplyReader()
  const bytes = Buffer.from(stream, 'latin1')
  const read = []
  for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)))
  expect(read).toEqual(replies)
})

test('commands are arrays of bulk strings', () => {
  expect(encodeCommand(['GET', 'a b'])).toBe('*2\r\n$3\r\nGET\r\n$3\r\na b\r\n')
})

test('what is not RESP2 is refused', () => {
  expect(() => new ReplyReader().push(Buffer.from('%1\r\n+a\r\n+b\r\n'))).toThrow('not a RESP2 reply')
})
