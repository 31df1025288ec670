import { MemoryStore } from '@caskade/engine'
import { afterEach, describe, expect, test } from 'vitest'
import { encode, RawClient } from './raw-client.test.kit.js'
import { RespServer, type RespServerOptions } from './resp-server.js'

const mib = 1024 * 1024
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

/** Writes `bytes` again and again, as fast as the server takes them, until `total` is sent or the server closes. */
async function flood(client: RawClient, bytes: Buffer, total: number): Promise<number> {
  let sent = 0
  while (sent < total && !client.closed) {
    const flowing = client.socket.write(bytes)
    sent += bytes.length
    if (!flowing)
      await new Promise<void>((resolve) => {
        const done = () => {
          client.socket.off('drain', done).off('close', done)
          resolve()
        }
        client.socket.once('drain', done).once('close', done)
      })
  }
  return sent
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('memory is bounded', () => {
  test('a 1 GiB line is cut after 64 KiB', async () => {
    const { server, connect } = await start()
    const client = await connect()
    const before = process.memoryUsage().rss
    const sent = await flood(client, Buffer.alloc(64 * 1024, 120), 1024 * mib)
    expect(sent).toBeLessThan(64 * mib)
    await until(() => server.connections === 0)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * mib)
    expect(server.heldBytes).toBe(0)
  })

  test('a header that announces a billion arguments is refused', async () => {
    const { server, connect } = await start()
    const client = await connect()
    client.send('*1000000000\r\n')
    expect(await client.untilClosed()).toBe('-ERR Protocol error: invalid multibulk length\r\n')
    expect(server.counters.protocolErrors).toBe(1)
  })

  test('a command of many large arguments is cut at the query limit', async () => {
    const { server, connect } = await start({ limits: { queryBytesMax: 4 * mib }, valueBytesMax: mib })
    const client = await connect()
    client.send('*1000\r\n$4\r\nMSET\r\n')
    const one = Buffer.concat([Buffer.from(`$${mib}\r\n`), Buffer.alloc(mib, 120), Buffer.from('\r\n')])
    const sent = await flood(client, one, 500 * mib)
    expect(sent).toBeLessThan(100 * mib)
    await until(() => server.connections === 0)
    expect(server.heldBytes).toBe(0)
  })

  test('announced bytes that do not come cost nothing', async () => {
    const { server, connect } = await start()
    for (let i = 0; i < 50; i++) (await connect()).send(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${8 * mib}\r\nx`)
    await until(() => server.connections === 50 && server.counters.reads >= 50)
    expect(server.heldBytes).toBeLessThan(50 * 1024)
  })

  test('who pipelines and never reads is paused, then cut', async () => {
    const store = new MemoryStore()
    store.putSync(Buffer.from('big'), Buffer.alloc(mib))
    const { server, connect } = await start({ store, limits: { slowReaderMs: 500 } })
    const client = await connect()
    client.socket.pause()
    const other = await connect()
    const before = process.memoryUsage().rss
    const flooding = flood(client, Buffer.concat(Array.from({ length: 1000 }, () => encode(['GET', 'big']))), 100 * mib)
    await until(() => server.heldBytes > mib)
    expect(server.heldBytes).toBeLessThan(4 * mib)
    expect(await other.call('PING')).toBe('+PONG\r\n')
    await until(() => server.counters.slowReadersCut === 1)
    client.close()
    await flooding
    await until(() => server.connections === 1)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * mib)
    expect(server.heldBytes).toBe(0)
  })

  test('all clients together are bounded: the one that holds most is cut', async () => {
    const { server, connect } = await start({ limits: { clientsBytesMax: 4 * mib } })
    const [small, large] = [await connect(), await connect()]
    small.send(`*2\r\n$4\r\nECHO\r\n$${mib}\r\n${'x'.repeat(1000)}`)
    await until(() => server.heldBytes > 0)
    large.send(`*2\r\n$4\r\nECHO\r\n$${8 * mib}\r\n`)
    large.send(Buffer.alloc(6 * mib, 120))
    expect(await large.untilClosed()).toBe('')
    expect(server.counters.clientsEvicted).toBe(1)
    small.send(`${'x'.repeat(mib - 1000)}\r\n`)
    expect((await small.replies(1))[0]).toHaveLength(mib + `$${mib}\r\n\r\n`.length)
  })

  test('what KEYS gathers counts too', async () => {
    const store = new MemoryStore()
    for (let i = 0; i < 20_000; i++) store.putSync(Buffer.from(`${'x'.repeat(100)}${i}`), Buffer.from('v'))
    const { server, connect } = await start({ store, limits: { clientsBytesMax: mib } })
    const [greedy, other] = [await connect(), await connect()]
    greedy.send('KEYS *\r\n')
    expect(await greedy.untilClosed()).toBe('')
    expect(server.counters.clientsEvicted).toBe(1)
    expect(await other.call('DBSIZE')).toBe(':20000\r\n')
    expect(server.heldBytes).toBe(0)
  })

  test('half a command and then silence is cut; so is a trickle', async () => {
    const { server, connect } = await start({ limits: { frameTimeoutMs: 1500 } })
    const [silent, trickling, idle] = [await connect(), await connect(), await connect()]
    silent.send('*2\r\n$4\r\nECHO\r\n$10\r\nabc')
    trickling.send('*2\r\n$4\r\nECHO\r\n$1000\r\n')
    const timer = setInterval(() => trickling.send('x'), 200)
    await idle.call('PING')
    expect(await silent.untilClosed()).toBe('')
    expect(await trickling.untilClosed()).toBe('')
    clearInterval(timer)
    expect(server.counters.unfinishedFramesCut).toBe(2)
    expect(await idle.call('PING')).toBe('+PONG\r\n')
  })

  test('an idle connection is closed only when asked for', async () => {
    const { server, connect } = await start()
    const client = await connect()
    await client.call('CONFIG', 'SET', 'timeout', '1')
    expect(await client.untilClosed()).toBe('')
    expect(server.counters.idleClosed).toBe(1)
  })

  test('a huge pipeline leaves others their turn', async () => {
    const { server, connect } = await start()
    const [greedy, other] = [await connect(), await connect()]
    await other.call('PING')
    const commands = 100_000
    greedy.send(Buffer.from('PING\r\n'.repeat(commands)))
    let turns = 0
    while (server.counters.commands < commands) {
      await other.call('PING')
      turns++
    }
    // A turn is at most 1024 commands, and a ping needs a few turns to come and go.
    expect(turns).toBeGreaterThan(commands / 1024 / 20)
    expect(await greedy.replies(commands)).toHaveLength(commands)
  })
})
