import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encode } from './raw-client.test.kit.js'
import { ReceiveBuffer } from './receive-buffer.js'
import { RespParser } from './resp-parser.js'

const limits = { argumentsMax: 1000, bulkBytesMax: 100_000 }

/**
 * Feeds the chunks as a connection does; commands as latin1 words. With `turn` only so many commands are parsed before the
 * next chunk comes, as when the connection must wait.
 */
function parseChunks(chunks: Buffer[], turn = Number.POSITIVE_INFINITY): { commands: string[][]; error: string } {
  const parser = new RespParser(limits)
  const received = new ReceiveBuffer()
  const commands: string[][] = []
  const parse = (most: number) => {
    for (let count = 0; count < most; count++) {
      const parsed = parser.next(received.bytes, received.end)
      if (parsed === 'broken') return false
      if (parsed === 'more') {
        received.settle(parser)
        break
      }
      const { args } = parser
      commands.push(Array.from({ length: args.count }, (_, index) => args.text(index)))
    }
    return true
  }
  for (const chunk of chunks) {
    received.add(chunk, chunk.length, parser)
    if (!parse(turn)) return { commands, error: parser.error }
  }
  parse(Number.POSITIVE_INFINITY)
  return { commands, error: parser.error }
}

function split(bytes: Buffer, at: number[]): Buffer[] {
  const cuts = [0, ...at.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 })
const cuts = fc.array(fc.nat(), { maxLength: 20 })

describe('RespParser', () => {
  test('any split of the stream gives the same commands', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 6 }), cuts, fc.integer({ min: 1, max: 5 }), (sent, at, turn) => {
        const bytes = Buffer.concat(sent.map(encode))
        const expected = sent.map((command) => command.map((word) => Buffer.from(word).toString('latin1')))
        expect(parseChunks(split(bytes, at))).toEqual({ commands: expected, error: '' })
        expect(parseChunks(split(bytes, at), turn)).toEqual({ commands: expected, error: '' })
      }),
    )
  })

  test('any split of anything gives the same commands and the same error', () => {
    const piece = fc.oneof(
      words.map(encode),
      fc
        .constantFrom(
          '*',
          '$',
          '\r\n',
          '\n',
          '*1\r\n',
          '$3\r\n',
          'abc',
          '*-10\r\n',
          '*0\r\n',
          '$-1\r\n',
          '"',
          "'",
          '\\x41',
          ' ',
          '1',
          '9999999',
          'PING\r\n',
          'set "a b" \'c\'\r\n',
        )
        .map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), cuts, fc.integer({ min: 0, max: 3 }), (pieces, at, turn) => {
        const bytes = Buffer.concat(pieces)
        expect(parseChunks(split(bytes, at))).toEqual(parseChunks([bytes]))
        expect(parseChunks(split(bytes, at), turn)).toEqual(parseChunks([bytes]))
      }),
      { numRuns: 1000 },
    )
  })

  test('one byte at a time', () => {
    const bytes = encode(['SET', 'key', 'x'.repeat(500)])
    const { commands } = parseChunks(Array.from(bytes, (byte) => Buffer.from([byte])))
    expect(commands).toEqual([['SET', 'key', 'x'.repeat(500)]])
  })

  test.each([
    ['*1001\r\n', 'Protocol error: invalid multibulk length'],
    ['*3000000000\r\n', 'Protocol error: invalid multibulk length'],
    ['*99999999999999999999999\r\n', 'Protocol error: invalid multibulk length'],
    ['*x\r\n', 'Protocol error: invalid multibulk length'],
    ['*\r\n', 'Protocol error: invalid multibulk length'],
    ['*01\r\n', 'Protocol error: invalid multibulk length'],
    ['*1\r\nPING\r\n', "Protocol error: expected '$', got 'P'"],
    ['*1\r\n$-10\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$100001\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$blabla\r\n', 'Protocol error: invalid bulk length'],
    ['PING "a\r\n', 'Protocol error: unbalanced quotes in request'],
    [`PING ${'x'.repeat(70_000)}`, 'Protocol error: too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'Protocol error: too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'Protocol error: too big bulk count string'],
  ])('%j is refused', (text, error) => {
    expect(parseChunks([Buffer.from(text.slice(0, 20)), Buffer.from(text.slice(20))]).error).toBe(error)
  })

  test('empty commands are skipped', () => {
    expect(parseChunks([Buffer.from('*-10\r\n*0\r\n\r\n\n   \r\nPING\r\n')])).toEqual({
      commands: [['PING']],
      error: '',
    })
  })

  test('a stranger gets little', () => {
    const ask = (text: string) => {
      const parser = new RespParser(limits)
      parser.stranger = true
      const bytes = Buffer.from(text)
      return parser.next(bytes, bytes.length) === 'broken' ? parser.error : ''
    }
    expect(ask('*11\r\n')).toBe('Protocol error: unauthenticated multibulk length')
    expect(ask('*10\r\n$16385\r\n')).toBe('Protocol error: unauthenticated bulk length')
    expect(ask('*10\r\n$16384\r\n')).toBe('')
  })

  test('inline words', () => {
    const line = 'a "b c" \'d\\\'e\' "\\x41\\n\\q" x"y" ""\r\n'
    expect(parseChunks([Buffer.from(line)]).commands).toEqual([['a', 'b c', "d'e", 'A\nq', 'xy', '']])
  })
})
