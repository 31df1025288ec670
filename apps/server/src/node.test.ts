import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { bindRefusal } from './bind-policy.js'
import { startNode } from './index.js'
import { temporaryDirectory, testNode } from './node.test-fixture.js'
import { startSummary } from './start-summary.js'

describe('a node', () => {
  test('keeps what it was given over a stop and a start, under both protocols', async () => {
    const dataDir = await temporaryDirectory()
    const first = await testNode({ dataDir })
    await fetch(`${first.url}/api/v1/kv/a`, {
      method: 'PUT',
      body: '{"value": {"n": 1}}',
      headers: { 'content-type': 'application/json' },
    })
    await first.node.close()
    await expect(fetch(`${first.url}/livez`)).rejects.toThrow()
    const second = await testNode({ dataDir })
    const response = await fetch(`${second.url}/api/v1/kv/a`)
    expect(await response.json()).toMatchObject({ value: { n: 1 } })
  })

  test('refuses addresses beyond this machine without a password, with a sentence', async () => {
    const dataDir = await temporaryDirectory()
    await expect(startNode({ dataDir, httpHost: '0.0.0.0', httpPort: 0, respPort: 0 })).rejects.toThrow(
      '--http-host 0.0.0.0 can be reached from other machines, and there is no password: give one with --password-file',
    )
    const open = { respHost: '::', httpHost: '127.0.0.1', password: undefined, insecure: false }
    expect(bindRefusal(open)).toContain('--resp-host ::')
    expect(bindRefusal({ ...open, password: 'x' })).toBeUndefined()
    expect(bindRefusal({ ...open, insecure: true })).toBeUndefined()
    expect(bindRefusal({ ...open, respHost: '::1' })).toBeUndefined()
    const { node } = await testNode({ httpHost: '0.0.0.0', insecure: true })
    expect(node.http.port).toBeGreaterThan(0)
  })

  test('a start that fails lets go of the directory', async () => {
    const dataDir = await temporaryDirectory()
    const { node: other } = await testNode()
    await expect(startNode({ dataDir, respPort: 0, httpPort: other.http.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    const { node } = await testNode({ dataDir })
    expect(node.store.stats().readOnlyReason).toBeUndefined()
  })

  test('a second one on the same directory is told who has it', async () => {
    const dataDir = await temporaryDirectory()
    await testNode({ dataDir })
    await expect(startNode({ dataDir, respPort: 0, httpPort: 0 })).rejects.toMatchObject({
      code: 'CASKADE_LOCKED',
      pid: process.pid,
    })
  })

  test('lets a running request end while it stops, and takes no new one', async () => {
    const { node } = await testNode({ drainMs: 10_000 })
    const { port } = node.http
    const idle = connect(port, '127.0.0.1')
    const idleClosed = once(idle, 'close')
    const running = connect(port, '127.0.0.1')
    let answer = ''
    running.on('data', (chunk) => {
      answer += chunk
    })
    const runningClosed = once(running, 'close')
    running.write(
      'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"value":',
    )
    await sleep(100)
    const closed = node.close()
    await idleClosed
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow()
    expect(node.store.getEntry(Buffer.from('a'))).toBeUndefined()
    running.write(' 1}')
    await runningClosed
    expect(answer).toContain('"success":true')
    await closed
  })

  test('cuts what does not end within the drain time, and at once when told to hurry', async () => {
    for (const drainMs of [50, 600_000]) {
      const { node } = await testNode({ drainMs })
      const sockets = [node.http.port, node.resp.port].map((port) => connect(port, '127.0.0.1'))
      for (const socket of sockets) socket.on('error', () => {})
      sockets[0]!.write(
        'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{',
      )
      // A Redis client that does not read its replies, more of them than sockets buffer.
      node.store.putSync(Buffer.from('big'), Buffer.alloc(4 * 1024 * 1024))
      sockets[1]!.pause()
      sockets[1]!.write('GET big\r\n'.repeat(20))
      await sleep(100)
      const closed = node.close()
      if (drainMs > 1000) {
        await sleep(50)
        node.hurry()
      }
      await closed
      for (const socket of sockets) socket.destroy()
    }
  })

  test('says why it is not ready', async () => {
    const { node, url } = await testNode({ drainMs: 10_000 })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    const socket = connect(node.http.port, '127.0.0.1')
    socket.write('GET /readyz HTTP/1.1\r\nhost: localhost\r\n')
    await sleep(100)
    const closed = node.close()
    socket.write('\r\n')
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    expect(chunk.toString()).toMatch(/^HTTP\/1.1 503 /)
    await closed
  })
})

test('the summary names addresses, data and commands to paste', () => {
  const facts = {
    version: '1.2.3',
    pid: 42,
    directory: '/srv/data',
    durability: 'os',
    stats: {
      sequence: 1,
      keysEstimate: 1234,
      diskBytes: 5 * 1024 * 1024,
      memoryBytes: 0,
      readOnlyReason: undefined,
      details: {},
    },
    resp: { host: '127.0.0.1', port: 7379 },
    http: { host: '127.0.0.1', port: 7380 },
    passwordSet: false,
    insecure: false,
  }
  const text = startSummary(facts)
  for (const part of [
    '127.0.0.1:7379',
    'http://127.0.0.1:7380',
    '/srv/data',
    'about 1,234 keys, 5.0 MiB',
    'redis-cli -p 7379 SET greeting hello\n',
    'curl http://127.0.0.1:7380/api/v1/kv/greeting\n',
    'npm run -s caskade -- get greeting\n',
  ])
    expect(text).toContain(part)
  const open = startSummary({
    ...facts,
    http: { host: '0.0.0.0', port: 80 },
    resp: { host: '::', port: 1 },
    insecure: true,
  })
  for (const part of ['redis-cli -h ::1 -p 1 SET', '--url http://127.0.0.1:80\n', 'warning: --insecure'])
    expect(open).toContain(part)
})
