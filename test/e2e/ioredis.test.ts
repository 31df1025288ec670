import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../server-process.js'
import { TemporaryDirectory } from '../temporary-directory.js'

// The client as its users have it: defaults throughout, which means RESP3 and its own handshake.
describe('ioredis', () => {
  const directory = new TemporaryDirectory()
  let server: ServerProcess
  let client: Redis

  beforeAll(async () => {
    server = await ServerProcess.start({ directory: directory.path })
    client = new Redis(server.respPort)
    await client.flushall()
  })

  afterAll(async () => {
    client.disconnect()
    expect(await server.signal('SIGTERM')).toBe(0)
    directory[Symbol.dispose]()
  })

  test('strings, numbers and bytes', async () => {
    expect(await client.set('greeting', 'hello')).toBe('OK')
    expect(await client.get('greeting')).toBe('hello')
    expect(await client.getBuffer('greeting')).toEqual(Buffer.from('hello'))
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    await client.set('bytes', bytes)
    expect(await client.getBuffer('bytes')).toEqual(bytes)
    expect(await client.incrby('count', 5)).toBe(5)
    expect(await client.incrbyfloat('count', 0.5)).toBe('5.5')
    expect(await client.append('greeting', ' there')).toBe(11)
    expect(await client.getrange('greeting', 0, 3)).toBe('hell')
    expect(await client.get('missing')).toBeNull()
  })

  test('many keys', async () => {
    expect(await client.mset({ 'many:1': 'a', 'many:2': 'b' })).toBe('OK')
    expect(await client.mget('many:1', 'many:2', 'many:3')).toEqual(['a', 'b', null])
    expect(await client.exists('many:1', 'many:2', 'many:3')).toBe(2)
    expect(await client.del('many:1', 'many:3')).toBe(1)
  })

  test('conditions and expiry', async () => {
    expect(await client.set('once', '1', 'NX')).toBe('OK')
    expect(await client.set('once', '2', 'NX')).toBeNull()
    expect(await client.set('brief', 'x', 'PX', 40)).toBe('OK')
    expect(await client.pttl('brief')).toBeGreaterThan(0)
    await expect.poll(() => client.get('brief')).toBeNull()
    expect(await client.expire('once', 100)).toBe(1)
    expect(await client.ttl('once')).toBe(100)
    expect(await client.persist('once')).toBe(1)
    expect(await client.ttl('once')).toBe(-1)
  })

  test('pipelines answer in order, errors among them', async () => {
    const pipeline = client.pipeline()
    for (let i = 0; i < 1000; i++) pipeline.set(`pipe:${i}`, String(i))
    pipeline.incr('greeting')
    pipeline.get('pipe:999')
    const replies = await pipeline.exec()
    expect(replies).toHaveLength(1002)
    expect(replies![1000]![0]?.message).toBe('ERR value is not an integer or out of range')
    expect(replies![1001]).toEqual([null, '999'])
  })

  test('transactions, and WATCH that undoes them', async () => {
    const done = await client.multi().set('paid', '1').incr('paid').get('paid').exec()
    expect(done).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ])
    const other = new Redis(server.respPort)
    await client.watch('paid')
    await other.set('paid', '7')
    expect(await client.multi().set('paid', '8').exec()).toBeNull()
    expect(await client.get('paid')).toBe('7')
    other.disconnect()
  })

  test('scanStream sees every key once the pages are put together', async () => {
    const found = new Set<string>()
    for await (const page of client.scanStream({ match: 'pipe:*', count: 100 })) for (const key of page) found.add(key)
    expect(found.size).toBe(1000)
  })

  test('what is not there is refused as Redis refuses it', async () => {
    await expect(client.call('lpush', 'list', '1')).rejects.toThrow('ERR unknown command')
    await expect(client.call('get')).rejects.toThrow("ERR wrong number of arguments for 'get' command")
  })

  test('it reconnects to a restarted server and finds its data', async () => {
    client.on('error', () => {}) // it says so each time it finds nobody there
    await client.set('kept', 'yes')
    await server.signal('SIGKILL')
    const { respPort } = server
    server = await ServerProcess.start({ directory: directory.path, respPort })
    expect(await client.get('kept')).toBe('yes')
  })
})
