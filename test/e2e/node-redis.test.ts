import { createClient, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../server-process.js'
import { TemporaryDirectory } from '../temporary-directory.js'

const connect = (port: number) => createClient({ url: `redis://127.0.0.1:${port}` }).connect()

// The client as its users have it: defaults throughout, which means RESP3 and its own handshake.
describe('redis (node-redis)', () => {
  const directory = new TemporaryDirectory()
  let server: ServerProcess
  let client: Awaited<ReturnType<typeof connect>>

  beforeAll(async () => {
    server = await ServerProcess.start({ directory: directory.path })
    client = await connect(server.respPort)
  })

  afterAll(async () => {
    await client.close()
    expect(await server.signal('SIGTERM')).toBe(0)
    directory[Symbol.dispose]()
  })

  test('strings, numbers and bytes', async () => {
    expect(await client.set('greeting', 'hello')).toBe('OK')
    expect(await client.get('greeting')).toBe('hello')
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    await client.set('bytes', bytes)
    expect(await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get('bytes')).toEqual(bytes)
    expect(await client.incrBy('count', 41)).toBe(41)
    expect(await client.incr('count')).toBe(42)
    expect(await client.strLen('greeting')).toBe(5)
    expect(await client.get('missing')).toBeNull()
  })

  test('many keys', async () => {
    expect(await client.mSet({ 'many:1': 'a', 'many:2': 'b' })).toBe('OK')
    expect(await client.mGet(['many:1', 'many:2', 'many:3'])).toEqual(['a', 'b', null])
    expect(await client.mSetNX({ 'many:2': 'c', 'many:3': 'c' })).toBe(0)
    expect(await client.del(['many:1', 'many:3'])).toBe(1)
    expect(await client.exists('many:2')).toBe(1)
  })

  test('conditions and expiry', async () => {
    expect(await client.set('once', '1', { condition: 'NX' })).toBe('OK')
    expect(await client.set('once', '2', { condition: 'NX' })).toBeNull()
    expect(await client.set('once', '3', { condition: 'XX', GET: true })).toBe('1')
    expect(await client.set('brief', 'x', { expiration: { type: 'PX', value: 40 } })).toBe('OK')
    expect(await client.pTTL('brief')).toBeGreaterThan(0)
    await expect.poll(() => client.get('brief')).toBeNull()
  })

  test('commands of one tick are one pipeline and answer in order', async () => {
    const writes = Array.from({ length: 1000 }, (_, i) => client.set(`pipe:${i}`, String(i)))
    const reads = Array.from({ length: 1000 }, (_, i) => client.get(`pipe:${i}`))
    expect(new Set(await Promise.all(writes))).toEqual(new Set(['OK']))
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)))
    await expect(client.incr('greeting')).rejects.toThrow('ERR value is not an integer or out of range')
  })

  test('transactions, and WATCH that undoes them', async () => {
    expect(await client.multi().set('paid', '1').incr('paid').get('paid').exec()).toEqual(['OK', 2, '2'])
    const other = await connect(server.respPort)
    await client.watch('paid')
    await other.set('paid', '7')
    await expect(client.multi().set('paid', '8').exec()).rejects.toThrow(
      'One (or more) of the watched keys has been changed',
    )
    expect(await client.get('paid')).toBe('7')
    await other.close()
  })

  test('scanIterator sees every key once the pages are put together', async () => {
    const found = new Set<string>()
    for await (const page of client.scanIterator({ MATCH: 'pipe:*', COUNT: 100 }))
      for (const key of page) found.add(key)
    expect(found.size).toBe(1000)
  })
})
