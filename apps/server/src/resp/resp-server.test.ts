import { CaskadeError, MemoryStore } from '@caskade/engine'
import { afterEach, describe, expect, test } from 'vitest'
import { seededRandom } from './random-commands.test.kit.js'
import { encode, RawClient } from './raw-client.test.kit.js'
import { RespServer, type RespServerOptions } from './resp-server.js'

const servers: RespServer[] = []
const clients: RawClient[] = []

async function start(
  options: Partial<RespServerOptions> = {},
): Promise<{ server: RespServer; connect: () => Promise<RawClient> }> {
  const server = new RespServer({ store: new MemoryStore(), ...options })
  servers.push(server)
  const { port } = await server.listen(0, '127.0.0.1')
  const connect = async () => {
    const client = await RawClient.connect(port)
    clients.push(client)
    return client
  }
  return { server, connect }
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const server of servers.splice(0)) await server.close(0)
})

describe('pipelines', () => {
  test('replies are in order, with sliced commands between', async () => {
    const { connect } = await start()
    const client = await connect()
    const many = Array.from({ length: 3000 }, (_, i) => encode(['SET', `key:${i}`, String(i)]))
    client.send(
      Buffer.concat([
        ...many,
        encode(['DBSIZE']),
        encode(['KEYS', 'key:7']),
        encode(['PING']),
        encode(['FLUSHALL']),
        encode(['DBSIZE']),
      ]),
    )
    const replies = await client.replies(3005)
    expect(new Set(replies.slice(0, 3000))).toEqual(new Set(['+OK\r\n']))
    expect(replies.slice(3000)).toEqual([':3000\r\n', '*1\r\n$5\r\nkey:7\r\n', '+PONG\r\n', '+OK\r\n', ':0\r\n'])
  })

  test('a value larger than any read arrives whole, and so does its reply', async () => {
    const { connect } = await start()
    const client = await connect()
    const value = Buffer.alloc(8 * 1024 * 1024, 'abc')
    expect(await client.call('SET', 'big', value)).toBe('+OK\r\n')
    expect(await client.call('STRLEN', 'big')).toBe(`:${value.length}\r\n`)
    expect(await client.call('GET', 'big')).toBe(`$${value.length}\r\n${value.toString('latin1')}\r\n`)
  })

  test('QUIT answers, closes, and runs nothing behind it', async () => {
    const store = new MemoryStore()
    const { connect } = await start({ store })
    const client = await connect()
    client.send('SET a 1\r\nQUIT\r\nSET a 2\r\n')
    expect(await client.untilClosed()).toBe('+OK\r\n+OK\r\n')
    expect(Buffer.from(store.getSync(Buffer.from('a'))!).toString()).toBe('1')
  })

  test('close runs what was received and sends the replies', async () => {
    const { server, connect } = await start()
    const client = await connect()
    client.send('SET a 1\r\nGET a\r\n')
    await client.replies(1)
    await server.close()
    expect(await client.untilClosed()).toBe('$1\r\n1\r\n')
  })
})

describe('transactions', () => {
  test('a write by another way than this protocol aborts EXEC', async () => {
    const store = new MemoryStore()
    const { connect } = await start({ store })
    const client = await connect()
    await client.call('SET', 'a', '1')
    await client.call('WATCH', 'a')
    await client.call('MULTI')
    await client.call('INCR', 'a')
    store.putSync(Buffer.from('a'), Buffer.from('5'))
    expect(await client.call('EXEC')).toBe('*-1\r\n')
    expect(await client.call('GET', 'a')).toBe('$1\r\n5\r\n')
  })

  test('all writes of EXEC are one atomic batch', async () => {
    let inside = 0
    let outside = 0
    let depth = 0
    class Watched extends MemoryStore {
      override atomic<T>(apply: () => T): T {
        depth++
        try {
          return super.atomic(apply)
        } finally {
          depth--
        }
      }
      override putFrom(...args: Parameters<MemoryStore['putFrom']>): number {
        if (depth > 0) inside++
        else outside++
        return super.putFrom(...args)
      }
    }
    const { connect } = await start({ store: new Watched() })
    const client = await connect()
    client.send(
      'MULTI\r\nSET a 1\r\nSET b 2\r\nINCR b\r\nGET\r\nEXEC\r\nMULTI\r\nSET a 1\r\nINCRBY a x\r\nSET b 2\r\nEXEC\r\n',
    )
    const replies = await client.replies(11)
    expect(replies[5]).toMatch(/^-EXECABORT /)
    expect(replies[10]).toBe('*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n')
    expect([inside, outside]).toEqual([2, 0])
  })

  test('the queue is bounded', async () => {
    const { server, connect } = await start({ limits: { transactionBytesMax: 10_000 } })
    const client = await connect()
    await client.call('MULTI')
    expect(await client.call('SET', 'a', 'x'.repeat(5000))).toBe('+QUEUED\r\n')
    expect(await client.call('SET', 'b', 'x'.repeat(5000))).toMatch(/^-ERR a transaction holds at most 10000 bytes/)
    expect(await client.call('EXEC')).toMatch(/^-EXECABORT /)
    expect(server.heldBytes).toBe(0)
  })
})

describe('keys and limits', () => {
  test('a key of 0 or more than 65,535 bytes is refused; so is a value that is announced too large', async () => {
    const { connect } = await start()
    const client = await connect()
    expect(await client.call('SET', 'k'.repeat(65_535), 'v')).toBe('+OK\r\n')
    expect(await client.call('SET', 'k'.repeat(65_536), 'v')).toBe(
      '-ERR invalid key: a key has 1 to 65535 bytes, not 65536\r\n',
    )
    expect(await client.call('GET', '')).toBe('-ERR invalid key: a key has 1 to 65535 bytes, not 0\r\n')
    client.send(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${8 * 1024 * 1024 + 1}\r\n`)
    expect(await client.untilClosed()).toBe('-ERR Protocol error: invalid bulk length\r\n')
  })

  test('a reply over the output limit is an error, and the connection lives', async () => {
    const { connect } = await start({ valueBytesMax: 100_000, limits: { outputBytesMax: 1 } })
    const client = await connect()
    await client.call('SET', 'a', 'x'.repeat(90_000))
    expect(await client.call('MGET', 'a', 'a', 'a')).toMatch(/^-ERR the reply is larger than the limit/)
    expect(await client.call('PING')).toBe('+PONG\r\n')
  })

  test('one client too many is told so', async () => {
    const { connect } = await start({ limits: { clientsMax: 1 } })
    const client = await connect()
    expect(await client.call('PING')).toBe('+PONG\r\n')
    expect(await (await connect()).untilClosed()).toBe('-ERR max number of clients reached\r\n')
  })
})

describe('authentication', () => {
  const options = { password: 'secret' }

  test('nothing before AUTH, everything after', async () => {
    const { connect } = await start(options)
    const client = await connect()
    expect(await client.call('GET', 'a')).toBe('-NOAUTH Authentication required.\r\n')
    expect(await client.call('NOTHING')).toMatch(/^-ERR unknown command/)
    expect(await client.call('AUTH', 'wrong')).toMatch(/^-WRONGPASS /)
    expect(await client.call('AUTH', 'nobody', 'secret')).toMatch(/^-WRONGPASS /)
    expect(await client.call('HELLO', '3')).toMatch(/^-NOAUTH HELLO must be called/)
    expect(await client.call('HELLO', '3', 'AUTH', 'default', 'wrong')).toMatch(/^-WRONGPASS /)
    client.send(
      Buffer.concat([
        encode(['AUTH', 'wrong']),
        encode(['SET', 'a', '1']),
        encode(['AUTH', 'secret']),
        encode(['GET', 'a']),
      ]),
    )
    expect((await client.replies(4)).map((reply) => reply.slice(0, 5))).toEqual([
      '-WRON',
      '-NOAU',
      '+OK\r\n',
      '$-1\r\n',
    ])
    expect(await client.call('RESET')).toBe('+RESET\r\n')
    expect(await client.call('GET', 'a')).toMatch(/^-NOAUTH /)
    expect(await client.call('HELLO', '3', 'AUTH', 'default', 'secret')).toMatch(/^%7/)
    expect(await client.call('GET', 'a')).toBe('_\r\n')
  })

  test('a stranger cannot send much', async () => {
    const { connect } = await start(options)
    const client = await connect()
    client.send('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$16385\r\n')
    expect(await client.untilClosed()).toBe('-ERR Protocol error: unauthenticated bulk length\r\n')
  })
})

describe('the client commands', () => {
  test('LIST, INFO, SETNAME, SETINFO, KILL', async () => {
    const { connect } = await start()
    const [a, b] = [await connect(), await connect()]
    await a.call('CLIENT', 'SETNAME', 'first')
    await a.call('CLIENT', 'SETINFO', 'LIB-NAME', 'mine')
    expect(await a.call('CLIENT', 'INFO')).toMatch(/name=first .*lib-name=mine/)
    const id = Number((await b.call('CLIENT', 'ID')).slice(1))
    expect(await a.call('CLIENT', 'LIST', 'ID', String(id))).toContain(`id=${id} addr=127.0.0.1:`)
    expect(await a.call('CLIENT', 'KILL', 'ID', String(id))).toBe(':1\r\n')
    expect(await b.untilClosed()).toBe('')
    const mine = /addr=(\S+)/.exec(await a.call('CLIENT', 'INFO'))![1]!
    expect(await a.call('CLIENT', 'KILL', mine)).toBe('+OK\r\n')
    expect(await a.untilClosed()).toBe('')
  })

  test('REPLY OFF, SKIP and ON', async () => {
    const { connect } = await start()
    const client = await connect()
    client.send(
      'CLIENT REPLY OFF\r\nPING\r\nNOTHING\r\nKEYS *\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nSET a 1\r\nGET a\r\n',
    )
    expect(await client.replies(2)).toEqual(['+OK\r\n', '$1\r\n1\r\n'])
  })
})

describe('slow log and latency', () => {
  test('record what took long, without secrets', async () => {
    const { connect } = await start()
    const client = await connect()
    await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '3')
    await client.call('AUTH', 'default', 'secret')
    await client.call('SET', 'a', 'x'.repeat(200))
    const entries = await client.call('SLOWLOG', 'GET')
    expect(entries).toContain(`${'x'.repeat(128)}... (72 more bytes)`)
    expect(entries).not.toContain('secret')
    expect(await client.call('SLOWLOG', 'LEN')).toBe(':3\r\n')
    await client.call('CONFIG', 'SET', 'latency-monitor-threshold', '1')
    await client.call('SET', 'b', Buffer.alloc(8 * 1024 * 1024))
    for (let i = 0; i < 20; i++) await client.call('BITCOUNT', 'b')
    expect(await client.call('LATENCY', 'LATEST')).toContain('$7\r\ncommand\r\n')
    expect(await client.call('LATENCY', 'HISTORY', 'command')).toMatch(/^\*[1-9]/)
    expect(await client.call('LATENCY', 'HISTOGRAM', 'bitcount')).toContain('bitcount')
    expect(await client.call('LATENCY', 'RESET')).toBe(':1\r\n')
  })
})

describe('the store', () => {
  class Failing extends MemoryStore {
    error: Error | undefined
    override putFrom(...args: Parameters<MemoryStore['putFrom']>): number {
      if (this.error) throw this.error
      return super.putFrom(...args)
    }
    override borrow(...args: Parameters<MemoryStore['borrow']>) {
      if (this.error?.message === 'unreadable') throw this.error
      return super.borrow(...args)
    }
  }

  test('its errors become replies: never a crash, never nil', async () => {
    const store = new Failing()
    const { connect } = await start({ store })
    const client = await connect()
    await client.call('SET', 'a', '1')
    store.error = new CaskadeError('CASKADE_DISK_FULL', 'no space')
    expect(await client.call('SET', 'a', '2')).toMatch(/^-MISCONF The disk is full/)
    expect(await client.call('GET', 'a')).toBe('$1\r\n1\r\n')
    client.send('MULTI\r\nSET a 3\r\nGET a\r\nEXEC\r\n')
    expect((await client.replies(4))[3]).toMatch(/^\*2\r\n-MISCONF [^\r]*\r\n\$1\r\n1\r\n$/)
    store.error = new CaskadeError('CASKADE_READ_ONLY', 'fsync failed')
    expect(await client.call('INCR', 'a')).toMatch(/^-MISCONF The store is read-only/)
    store.error = new CaskadeError('CASKADE_CORRUPTION', 'unreadable')
    expect(await client.call('GET', 'a')).toMatch(/^-ERR CASKADE_CORRUPTION/)
    expect(await client.call('MGET', 'a', 'a')).toMatch(/^-ERR CASKADE_CORRUPTION/)
  })

  class Slow extends MemoryStore {
    pending: { resolve: () => void; reject: (error: Error) => void; promise: Promise<void> } | undefined
    pressing: Promise<void> | undefined
    hold(): void {
      let settle: Omit<NonNullable<typeof this.pending>, 'promise'> | undefined
      const promise = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject }
      })
      this.pending = { ...settle!, promise }
    }
    override durable(): undefined {
      return this.pending?.promise as unknown as undefined
    }
    override backpressure(): undefined {
      return this.pressing as unknown as undefined
    }
  }

  test('a reply to a write waits until the write is durable; reads of others do not', async () => {
    const store = new Slow()
    const { connect } = await start({ store })
    const [writer, reader] = [await connect(), await connect()]
    store.hold()
    writer.send('SET a 1\r\nGET a\r\n')
    let answered = false
    const replies = writer.replies(2).then((found) => {
      answered = true
      return found
    })
    for (let i = 0; i < 5; i++) await reader.call('GET', 'a')
    expect(answered).toBe(false)
    const { resolve } = store.pending!
    store.pending = undefined
    resolve()
    expect(await replies).toEqual(['+OK\r\n', '$1\r\n1\r\n'])
  })

  test('when it may not be durable, there is no reply: the connection closes', async () => {
    const store = new Slow()
    const { connect } = await start({ store })
    const writer = await connect()
    store.hold()
    writer.send('SET a 1\r\n')
    const closed = writer.untilClosed()
    const other = await connect()
    await other.call('PING')
    store.pending!.reject(new CaskadeError('CASKADE_IO', 'fsync failed'))
    expect(await closed).toBe('')
  })

  test('the same with a command behind it that takes several turns', async () => {
    const store = new Slow()
    const { server, connect } = await start({ store })
    const writer = await connect()
    store.hold()
    writer.send('SET a 1\r\nKEYS *\r\n')
    const closed = writer.untilClosed()
    await (await connect()).call('PING')
    store.pending!.reject(new CaskadeError('CASKADE_IO', 'fsync failed'))
    expect(await closed).toBe('')
    expect(server.heldBytes).toBe(0)
  })

  test('backpressure holds the writer, not the others', async () => {
    const store = new Slow()
    const { connect } = await start({ store })
    const [writer, other] = [await connect(), await connect()]
    let release = () => {}
    store.pressing = new Promise((resolve) => {
      release = resolve
    })
    expect(await writer.call('SET', 'a', '1')).toBe('+OK\r\n')
    writer.send('SET a 2\r\n')
    for (let i = 0; i < 5; i++) expect(await other.call('GET', 'a')).toBe('$1\r\n1\r\n')
    store.pressing = undefined
    release()
    expect(await writer.replies(1)).toEqual(['+OK\r\n'])
  })
})

describe('SCAN', () => {
  test('every key that stays is returned once, while others come and go', async () => {
    const { connect } = await start()
    const client = await connect()
    const staying = Array.from({ length: 500 }, (_, i) => `stay:${i}`)
    for (const key of staying) client.send(encode(['SET', key, 'v']))
    await client.replies(staying.length)
    const seen: string[] = []
    let cursor = '0'
    let round = 0
    do {
      const reply = await client.call('SCAN', cursor, 'COUNT', '7', 'MATCH', 'stay:*')
      const lines = reply.split('\r\n')
      cursor = lines[2]!
      seen.push(...lines.filter((line) => line.startsWith('stay:')))
      await client.call('SET', `come:${round}`, 'v')
      await client.call('SET', `stay:0${round}`, 'v')
      await client.call('DEL', `come:${round++ - 3}`)
    } while (cursor !== '0')
    const found = seen.filter((key) => staying.includes(key))
    expect(found.toSorted()).toEqual(staying.toSorted())
  })

  test('a cursor that is not known is an error, not a gap', async () => {
    const { connect } = await start()
    const client = await connect()
    expect(await client.call('SCAN', '12345')).toMatch(/^-ERR invalid cursor: /)
  })
})

test('RANDOMKEY finds keys everywhere among many', async () => {
  const { connect } = await start({ random: seededRandom(1) })
  const client = await connect()
  for (let i = 0; i < 400; i++) client.send(encode(['SET', `key:${i}`, 'v']))
  await client.replies(400)
  const seen = new Set<string>()
  for (let i = 0; i < 1200; i++) client.send(encode(['RANDOMKEY']))
  for (const reply of await client.replies(1200)) seen.add(reply)
  expect(seen.size).toBeGreaterThan(200)
})

test('TTL is exact to the millisecond', async () => {
  let now = 1_000_000
  const clock = () => now
  const { connect } = await start({ clock, store: new MemoryStore({ clock }) })
  const client = await connect()
  await client.call('SET', 'a', '1', 'PX', '1500')
  now += 1499
  expect(await client.call('PTTL', 'a')).toBe(':1\r\n')
  expect(await client.call('GET', 'a')).toBe('$1\r\n1\r\n')
  now += 1
  expect(await client.call('GET', 'a')).toBe('$-1\r\n')
  expect(await client.call('PTTL', 'a')).toBe(':-2\r\n')
})

test('HTTP sent to this port is cut', async () => {
  const { connect } = await start()
  const client = await connect()
  client.send('POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET a 1\r\n')
  expect(await client.untilClosed()).toBe('')
})
