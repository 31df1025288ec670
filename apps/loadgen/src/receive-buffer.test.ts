import { expect, test } from 'vitest'
import { ReceiveBuffer } from './receive-buffer.js'

test('words come out whole however the stream is cut', () => {
  const words = Array.from({ length: 3000 }, (_, i) => 'x'.repeat(i % 7) + i)
  const stream = Buffer.from(`${words.join(' ')} `)
  const shared = Buffer.alloc(5000)
  for (const step of [1, 2, 13, 499, 5000]) {
    const buffer = new ReceiveBuffer()
    const seen: string[] = []
    for (let at = 0; at < stream.length; at += step) {
      const length = stream.copy(shared, 0, at, at + step)
      buffer.receive(shared, length, (bytes, end) => {
        let from = 0
        for (let space = bytes.indexOf(32); space >= 0 && space < end; space = bytes.indexOf(32, from)) {
          seen.push(bytes.toString('latin1', from, space))
          from = space + 1
        }
        return from
      })
      shared.fill('?')
    }
    expect(seen).toEqual(words)
  }
})
