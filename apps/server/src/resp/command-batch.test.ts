import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CommandBatch } from './command-batch.js'
import { encode } from './raw-client.test.kit.js'
import { ReceiveBuffer } from './receive-buffer.js'
import { RespParser } from './resp-parser.js'

const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 })

test('whatever is received when, and wherever a connection stops, every command runs once and in order', () => {
  fc.assert(
    fc.property(
      fc.array(words, { maxLength: 80 }),
      fc.array(fc.nat(4000), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
      (sent, cuts, stops) => {
        const stream = Buffer.concat(sent.map(encode))
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
        const parser = new RespParser({ argumentsMax: 100, bulkBytesMax: 1000 })
        const received = new ReceiveBuffer()
        const batch = new CommandBatch()
        const ran: string[][] = []
        let turn = 0
        const run = () => {
          for (;;) {
            const parsed = batch.fill(parser, received.bytes, received.end)
            const stop = stops[turn++ % stops.length]!
            for (let i = 0; i < batch.count; i++) {
              const args = batch.args[i]!
              ran.push(Array.from({ length: args.count }, (_, index) => args.text(index)))
              if (i + 1 < stop) continue
              parser.rewind(batch.ends[i]!)
              break
            }
            if (parsed === 'more' && batch.count <= stop) break
          }
          received.settle(parser)
        }
        for (let i = 1; i < places.length; i++) {
          const chunk = stream.subarray(places[i - 1], places[i])
          received.add(chunk, chunk.length, parser)
          run()
        }
        expect(ran).toEqual(sent.map((command) => command.map((word) => Buffer.from(word).toString('latin1'))))
      },
    ),
  )
})
