import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyBytesMax } from '@caskade/engine'
import { describe, expect, test } from 'vitest'
import { rawExchange, testNode } from '../node.test-fixture.js'

const put = (path: string, type: string, length: number) =>
  `PUT ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
const status = (answer: string) => answer.slice(0, 12)

describe('sizes', () => {
  test('a body that declares too much is refused before it is sent', async () => {
    const { node } = await testNode({ valueBytesMax: 100_000 })
    const { port } = node.http
    // Only the headers go out: the answer cannot have waited for the body.
    for (const [type, length] of [
      ['application/octet-stream', 100_001],
      ['application/octet-stream', Number.MAX_SAFE_INTEGER],
      ['application/json', 10_000_000],
    ] as const) {
      const answer = await rawExchange(port, put('/api/v1/kv/a', type, length))
      expect(answer).toMatch(/^HTTP\/1.1 413 [\s\S]*connection: close[\s\S]*CASKADE_TOO_LARGE/i)
    }
  })

  test('a chunked body is cut where it passes the limit', async () => {
    const { node } = await testNode({ valueBytesMax: 100_000 })
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`
    const answer = await rawExchange(
      node.http.port,
      'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ntransfer-encoding: chunked\r\n\r\n',
      chunk.repeat(50),
    )
    expect(answer).toMatch(/^HTTP\/1.1 413 [\s\S]*CASKADE_TOO_LARGE/)
    expect(node.store.getEntry(Buffer.from('a'))).toBeUndefined()
  })

  test('the longest key and the longest value are taken, one byte more is not', async () => {
    const { url } = await testNode({ valueBytesMax: 100_000 })
    const ask = async (path: string, method: string, body: string | Uint8Array, type: string) => {
      const response = await fetch(`${url}${path}`, { method, body, headers: { 'content-type': type } })
      return [response.status, ((await response.json()) as { error?: { code: string } }).error?.code]
    }
    const write = (key: string) =>
      ask('/api/v1/kv/batch/write', 'POST', JSON.stringify({ operations: [{ key, value: 1 }] }), 'application/json')
    expect(await write('k'.repeat(keyBytesMax))).toEqual([200, undefined])
    expect(await write('k'.repeat(keyBytesMax + 1))).toEqual([400, 'CASKADE_INVALID_KEY'])
    expect(await write('é'.repeat(keyBytesMax / 2 + 1))).toEqual([400, 'CASKADE_INVALID_KEY'])
    const octets = 'application/octet-stream'
    expect(await ask('/api/v1/kv/v', 'PUT', new Uint8Array(100_000), octets)).toEqual([200, undefined])
    expect(await ask('/api/v1/kv/v', 'PUT', new Uint8Array(100_001), octets)).toEqual([413, 'CASKADE_TOO_LARGE'])
    const value = (length: number) =>
      ask('/api/v1/kv/v', 'PUT', JSON.stringify({ value: 'x'.repeat(length) }), 'application/json')
    expect(await value(100_000)).toEqual([200, undefined])
    expect(await value(100_001)).toEqual([413, 'CASKADE_TOO_LARGE'])
    const base64 = (length: number) =>
      ask(
        '/api/v1/kv/v',
        'PUT',
        JSON.stringify({ value: Buffer.alloc(length).toString('base64'), encoding: 'base64' }),
        'application/json',
      )
    expect(await base64(100_000)).toEqual([200, undefined])
    expect(await base64(100_001)).toEqual([413, 'CASKADE_TOO_LARGE'])
  })

  test('headers and request line are bounded, with a word on long keys', async () => {
    const { node } = await testNode()
    const answer = await rawExchange(
      node.http.port,
      `GET /api/v1/kv/${'k'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 431 [\s\S]*CASKADE_HEADERS_TOO_LARGE[\s\S]*api\/v1\/kv\/batch/)
    expect(
      await rawExchange(node.http.port, `GET /livez HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1.1 431/)
  })

  test('JSON nested 200,000 deep is refused, in a value and in its place', async () => {
    const { url } = await testNode()
    for (const body of [
      `{"value": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      `{"value": ${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`,
      `{"value": ${'['.repeat(65)}${']'.repeat(65)}}`,
    ]) {
      const response = await fetch(`${url}/api/v1/kv/deep`, {
        method: 'PUT',
        body,
        headers: { 'content-type': 'application/json' },
      })
      expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
        400,
        'CASKADE_JSON_TOO_DEEP',
      ])
    }
    for (const body of [
      '['.repeat(200_000),
      '{"condition":'.repeat(200_000),
      `{"condition": ${'['.repeat(200_000)}}`,
    ]) {
      const response = await fetch(`${url}/api/v1/kv/deep`, {
        method: 'PUT',
        body,
        headers: { 'content-type': 'application/json' },
      })
      expect(response.status).toBe(400)
    }
  })

  test('bodies of all requests together are bounded, and the room comes back', async () => {
    const { node, url } = await testNode({ httpLimits: { bytesInFlightMax: 300_000 } })
    const { port } = node.http
    const body = 'x'.repeat(200_000)
    const held = connect(port, '127.0.0.1')
    held.write(put('/api/v1/kv/held', 'application/octet-stream', 200_001) + body)
    const answer = () =>
      fetch(`${url}/api/v1/kv/b`, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } })
    let refused: Response
    do {
      refused = await answer()
      await sleep(5)
    } while (refused.status === 200)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('CASKADE_OVERLOADED')
    held.destroy()
    while ((await answer()).status !== 200) await sleep(5)
  })
})

describe('time', () => {
  const httpLimits = { headersTimeoutMs: 150, requestTimeoutMs: 300, checkIntervalMs: 20, idleTimeoutMs: 1000 }

  test('slow headers, slow bodies and silence are cut', async () => {
    const { node } = await testNode({ httpLimits })
    const { port } = node.http
    const headers = await rawExchange(port, 'GET /livez HTTP/1.1\r\nhost: local')
    expect(headers).toMatch(/^HTTP\/1.1 408 [\s\S]*CASKADE_TIMEOUT/)
    const body = await rawExchange(port, put('/api/v1/kv/a', 'application/json', 100), '{"value":')
    expect(body).toMatch(/^HTTP\/1.1 408 [\s\S]*CASKADE_TIMEOUT/)
    expect(await rawExchange(port)).toMatch(/^$|^HTTP\/1.1 408/)
  })

  test('drops of a body do not keep a request alive', async () => {
    const { node } = await testNode({ httpLimits })
    const socket = connect(node.http.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(put('/api/v1/kv/a', 'application/octet-stream', 1_000_000))
    const drip = setInterval(() => socket.write('x'), 20)
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(drip)
    expect(node.store.getEntry(Buffer.from('a'))).toBeUndefined()
  })

  test('a connection that ends inside a body writes nothing', async () => {
    const { node, url } = await testNode()
    const socket = connect(node.http.port, '127.0.0.1')
    socket.write(`${put('/api/v1/kv/a', 'application/json', 100)}{"value": 1}`)
    await sleep(20)
    socket.destroy()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect(node.store.getEntry(Buffer.from('a'))).toBeUndefined()
  })

  test('connections are bounded', async () => {
    const { node } = await testNode({ maxClients: 2 })
    const sockets = [0, 1].map(() => connect(node.http.port, '127.0.0.1'))
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    const dropped = await rawExchange(node.http.port, 'GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n')
    expect(dropped).toBe('')
    for (const socket of sockets) socket.destroy()
  })
})

describe('requests that are no requests', () => {
  test.each([
    ['two lengths', 'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx'],
    [
      'length and chunks',
      'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'unknown transfer encoding',
      'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\r\n'],
    ['a bare line feed', 'GET /livez HTTP/1.1\nhost: localhost\n\n'],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['a space before the colon', 'GET /livez HTTP/1.1\r\nhost : localhost\r\n\r\n'],
    [
      'a bad chunk size',
      'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['Redis', '*1\r\n$4\r\nPING\r\n'],
  ])('%s', async (_what, request) => {
    const { node } = await testNode()
    const answer = await rawExchange(node.http.port, request)
    expect(status(answer)).toBe('HTTP/1.1 400')
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(node.store.getEntry(Buffer.from('a'))).toBeUndefined()
  })
})
