import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore, openStore, type Store } from '@caskade/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RandomCommands, seededRandom, type Words } from './random-commands.test.kit.js'
import { encode, RawClient } from './raw-client.test.kit.js'
import { RedisProcess, redisMajor } from './redis-process.test.kit.js'
import { RespServer } from './resp-server.js'

const major = redisMajor()
const commandsPerSeed = Number(process.env.CASKADE_TEST_COMMANDS ?? 1500)
const seeds = (process.env.CASKADE_TEST_SEEDS ?? '1,2,3').split(',').map(Number)

/** Replies with the same elements in another order are the same. */
const anyOrder = /^(keys|scan)$/i
/** Times that pass between the two servers. */
const timed = /^(ttl|pttl|expiretime|pexpiretime|exec)$/i

const sortedLines = (reply: string) => reply.split('\r\n').sort().join('\n')

function sameTimes(a: string, b: string): boolean {
  const left = a.split('\r\n')
  const right = b.split('\r\n')
  return (
    left.length === right.length &&
    left.every((line, i) => {
      const other = right[i]!
      if (line === other) return true
      if (line[0] !== ':' || other[0] !== ':') return false
      const [x, y] = [Number(line.slice(1)), Number(other.slice(1))]
      return x > 0 && y > 0 && Math.abs(x - y) <= 5000
    })
  )
}

/** The documented differences, by name; `docs/server/resp.md` has the reasons. */
function documented(words: Words, theirs: string, ours: string): boolean {
  const name = String(words[0]).toLowerCase()
  const sub = String(words[1] ?? '').toLowerCase()
  // Expiry beyond the year 287396.
  if (/invalid expire time/.test(ours) && words.some((word) => /^\d{16,}$/.test(String(word)))) return true
  if (name === 'randomkey') return theirs[0] === ours[0]
  if (name === 'config' && sub === 'get') return theirs.split('\r\n').length === ours.split('\r\n').length
  // What a server says of itself, its commands and its clients.
  const itself = ['list', 'info', 'docs', ''].includes(sub) && ['command', 'client'].includes(name)
  if (itself || (name === 'slowlog' && /^(len|get)$/.test(sub))) return theirs[0] === ours[0]
  if (name === 'config' && sub === 'set' && /immutable/.test(ours)) return theirs[0] === '-'
  // How many keys one step returns is up to the server.
  if (name === 'scan' && !words.includes('1000')) return theirs.slice(0, 4) === ours.slice(0, 4)
  if (name === 'hello' && ours[0] === theirs[0]) return /^[%*]/.test(ours)
  return false
}

function same(words: Words, theirs: string, ours: string): boolean {
  if (theirs === ours) return true
  const name = String(words[0])
  if (anyOrder.test(name) && sortedLines(theirs) === sortedLines(ours)) return true
  if (timed.test(name) && sameTimes(theirs, ours)) return true
  return documented(words, theirs, ours)
}

describe.skipIf(major !== 7).for(['memory', 'lsm'])(
  `%s store against redis-server 7 (found: ${major || 'none'})`,
  (kind) => {
    let redis: RedisProcess
    let server: RespServer
    let port: number
    let store: Store
    let directory: string

    beforeAll(async () => {
      redis = await RedisProcess.start()
      directory = mkdtempSync(join(tmpdir(), 'caskade-resp-'))
      store = kind === 'lsm' ? await openStore(directory) : new MemoryStore()
      server = new RespServer({ store })
      port = (await server.listen(0, '127.0.0.1')).port
    })

    afterAll(async () => {
      await redis?.stop()
      await server?.close()
      await store?.close()
      rmSync(directory, { recursive: true, force: true })
    })

    for (const protocol of ['2', '3']) {
      test.each(seeds)(`RESP${protocol}, seed %i: the same replies, byte for byte`, async (seed) => {
        const commands = new RandomCommands(seededRandom(seed * 2 + Number(protocol)))
        const pairs = await Promise.all(
          [0, 1].map(async () => ({
            theirs: await RawClient.connect(redis.port),
            ours: await RawClient.connect(port),
          })),
        )
        const differences: string[] = []
        const run = async (client: number, batch: Words[]) => {
          const { theirs, ours } = pairs[client]!
          const bytes = Buffer.concat(batch.map(encode))
          theirs.send(bytes)
          ours.send(bytes)
          const [expected, actual] = await Promise.all([theirs.replies(batch.length), ours.replies(batch.length)])
          for (const [i, words] of batch.entries()) {
            if (same(words, expected[i] ?? '(closed)', actual[i] ?? '(closed)')) continue
            const queued = words[0] === 'EXEC' ? JSON.stringify(batch.map((all) => all.map(String))) : ''
            differences.push(
              `${JSON.stringify(words.map(String))} ${queued}\n  redis: ${JSON.stringify(expected[i])}\n  ours:  ${JSON.stringify(actual[i])}`,
            )
          }
        }
        for (const client of [0, 1]) await run(client, [['HELLO', protocol]])
        await run(0, [['FLUSHALL']])
        for (let done = 0; done < commandsPerSeed && differences.length < 10; ) {
          const batch: Words[] = []
          const client = commands.random() < 0.2 ? 1 : 0
          if (commands.random() < 0.1) {
            // An absent key that comes and goes is a documented difference: watch one that is there.
            const key = commands.key()
            await run(client, [
              ['SET', key, 'watched'],
              ['WATCH', key],
            ])
            if (commands.random() < 0.5) await run(1 - client, [commands.next()])
          }
          if (commands.random() < 0.15) batch.push(...commands.transaction())
          else for (let i = 0; i < 20; i++) batch.push(commands.next())
          await run(client, batch)
          done += batch.length
        }
        for (const { theirs, ours } of pairs) {
          theirs.close()
          ours.close()
        }
        expect(differences.join('\n')).toBe('')
      })
    }

    const frame = (text: string) => text.replaceAll(' ', '\r\n')
    test.each([
      '*3 $3 SET $1 x $1 ',
      '*-10 *1 $4 PING *1 $4 QUIT ',
      '*3000000000 ',
      '*blabla ',
      '*1 $blabla ',
      '*1 $-10 ',
      '*1 $2000000000 ',
      '*1 $8388609 ',
      '*1 x ',
      '*3 $3 SET $1 x #1 y ',
      '*2 $4 PING $1 ',
      '*1 $4 QUIT *1 $4 PING ',
      '*1 $0  *1 $4 QUIT ',
      '*0 *1 $4 QUIT ',
      'PING QUIT ',
      '"PING ',
      "'PING ",
      '"PING"x ',
      `${'x'.repeat(70_000)}`,
      `*${'1'.repeat(70_000)}`,
      `*1 $${'1'.repeat(70_000)}`,
      '*+1 $4 PING ',
      '*01 $4 PING ',
      '*1 $04 PING ',
      '*1 $ PING ',
      '* ',
      'POST / HTTP/1.1 ',
      'GET a b Host: x ',
      '  QUIT ',
      '  QUIT ',
      'client\treply\toff QUIT ',
    ])('raw bytes %#: the same bytes until the connection closes', async (text) => {
      const bytes = frame(text)
      const answers = await Promise.all(
        [redis.port, port].map(async (to) => {
          const client = await RawClient.connect(to)
          client.send(bytes)
          client.socket.end()
          return client.untilClosed()
        }),
      )
      expect(answers[1]).toBe(answers[0])
    })

    test('COMMAND INFO of each command says what Redis says', async () => {
      const [theirs, ours] = [await RawClient.connect(redis.port), await RawClient.connect(port)]
      const names = (await ours.call('COMMAND', 'LIST')).split('\r\n').filter((line) => /^[a-z]/.test(line))
      expect(names.length).toBeGreaterThan(100)
      // Of Redis 7.2; and two whose key specs carry a note for people.
      const others = ['client|setinfo', 'client|no-touch', 'set', 'getex']
      const differences: string[] = []
      for (const name of names.filter((one) => !others.includes(one))) {
        const [expected, actual] = await Promise.all(
          [theirs, ours].map((client) => client.call('COMMAND', 'INFO', name)),
        )
        // Containers list their subcommands, of which there are fewer here, in another order.
        const withoutSubcommands = (reply: string) =>
          reply.replace(/\*10\r\n[\s\S]*?$/, (all) => all.slice(0, all.indexOf('*10\r\n', 5) >>> 0))
        // Flags and categories come in any order.
        const normal = (reply: string) =>
          withoutSubcommands(reply)
            .replace(/[*~]\d+\r\n$/, '')
            .split('\r\n')
            .sort()
            .join(' ')
        if (normal(expected!) !== normal(actual!))
          differences.push(`${name}\n  redis: ${normal(expected!)}\n  ours:  ${normal(actual!)}`)
      }
      expect(differences.join('\n')).toBe('')
      theirs.close()
      ours.close()
    })
  },
)
