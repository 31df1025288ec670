import { execFileSync } from 'node:child_process'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { testNode } from '../node.test-fixture.js'

const json = { 'content-type': 'application/json' }
const octets = { 'content-type': 'application/octet-stream' }

async function api(config = {}) {
  const { node, url } = await testNode(config)
  const ask = async (
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : json), ...headers },
      body: body ?? null,
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return {
      status: response.status,
      text,
      headers: response.headers,
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
      body: (isJson && text !== '' ? JSON.parse(text) : undefined) as any,
    }
  }
  const put = (key: string, body: string, headers?: Record<string, string>) =>
    ask('PUT', `/api/v1/kv/${key}`, body, headers)
  const get = (key: string, headers?: Record<string, string>) => ask('GET', `/api/v1/kv/${key}`, undefined, headers)
  const batch = (...keys: unknown[]) => ask('POST', '/api/v1/kv/batch', JSON.stringify({ keys }))
  const write = (...operations: unknown[]) => ask('POST', '/api/v1/kv/batch/write', JSON.stringify({ operations }))
  return { node, url, ask, put, get, batch, write }
}

/** What a Redis client gets for these words, as latin1 text. */
function redis(port: number, ...words: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.once('data', (chunk) => {
      socket.destroy()
      resolve(chunk.toString('latin1'))
    })
    const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
    for (const word of words)
      parts.push(Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), Buffer.from('\r\n'))
    socket.write(Buffer.concat(parts))
  })
}

describe('one record', () => {
  test('is written, read, replaced and deleted', async () => {
    const { put, get, ask } = await api()
    const first = await put('greeting', '{"value": "hello"}')
    expect([first.status, first.body]).toEqual([200, { success: true, version: expect.any(Number) }])
    const found = await get('greeting')
    expect(found.status).toBe(200)
    expect(found.body).toEqual({
      key: 'greeting',
      value: 'hello',
      version: first.body.version,
      timestamp: expect.any(Number),
    })
    expect(found.headers.get('etag')).toBe(`"${first.body.version}"`)
    const second = await put('greeting', '{"value": [1, {"a": null}]}')
    expect(second.body.version).toBeGreaterThan(first.body.version)
    expect((await get('greeting')).body.value).toEqual([1, { a: null }])
    const deleted = await ask('DELETE', '/api/v1/kv/greeting')
    expect([deleted.status, deleted.body]).toEqual([200, { success: true }])
    const missing = await get('greeting')
    expect([missing.status, missing.body.error.code]).toEqual([404, 'CASKADE_NOT_FOUND'])
    expect((await ask('DELETE', '/api/v1/kv/greeting')).status).toBe(200)
  })

  test('a JSON value comes back as the text that came, whatever JSON parsers make of it', async () => {
    const { put, get } = await api()
    for (const text of [
      '9007199254740993',
      '1e400',
      '-0',
      '1.10',
      '{"a":1,"a":2}',
      '{"__proto__":{"x":1},"constructor":{"prototype":{}},"hasOwnProperty":1}',
      '{"lone":"\\ud800","esc":"\\u0041\\/"}',
      '{ "spaced" :\t[ 1 ,\n 2 ] }',
      'null',
      'false',
      `${'['.repeat(64)}${']'.repeat(64)}`,
    ]) {
      expect((await put('k', `{"value": ${text}}`)).status, text).toBe(200)
      expect((await get('k')).text).toContain(`"value":${text},`)
      const raw = await get('k', { accept: 'application/octet-stream' })
      expect(raw.text).toBe(text)
    }
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  test('keys are any bytes, and no path trick leaves the key space', async () => {
    const { url, node, put, get, ask } = await api()
    const keys = [
      'a/b',
      'debian/0ad',
      '__proto__',
      'constructor',
      'toString',
      'ключ',
      '\u202e',
      'a b',
      '%',
      'a?b#c',
      '1/0',
      "' OR 1=1",
      '\r\nX: y',
      '\0',
      '~YQ',
      'batch',
      '..a',
      '<script>',
    ]
    for (const [index, key] of keys.entries()) {
      const path = encodeURIComponent(key)
      expect((await put(path, `{"value": ${index}}`)).status, key).toBe(200)
      expect((await get(path)).body, key).toMatchObject({ key, value: index })
    }
    // Bytes that are no UTF-8 are base64 in JSON.
    await put('%ff%00', '{"value": "binary key"}')
    expect((await get('%ff%00')).body).toMatchObject({ key: { base64: '/wA=' }, value: 'binary key' })
    expect(node.store.getEntry(Buffer.from([0xff, 0]))).toBeDefined()
    // A slash may stand as it is.
    expect((await get('debian/0ad')).body.key).toBe('debian/0ad')
    expect((await ask('GET', '/api/v1/kv/')).body.error.code).toBe('CASKADE_INVALID_KEY')
    const raw = (path: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1')
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
        socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      })
    expect(await raw('/api/v1/kv/../../../etc/passwd')).toContain('CASKADE_NOT_FOUND')
    expect(await raw('/api/v1/kv/%zz')).toMatch(/^HTTP\/1.1 400 [\s\S]*CASKADE_BAD_REQUEST/)
    expect(await raw('//api/v1/kv/a')).toMatch(/^HTTP\/1.1 404 [\s\S]*CASKADE_NO_ROUTE/)
    expect(await raw('/API/v1/kv/a')).toContain('CASKADE_NO_ROUTE')
    expect(await raw('/api/v1/%6bv/a')).toContain('HTTP/1.1 404')
    expect(await raw('http://localhost/api/v1/kv/a')).toContain('CASKADE_NOT_FOUND')
  })

  test('binary goes in and out raw, or as base64', async () => {
    const { ask, put, get, url } = await api()
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const stored = await ask('PUT', '/api/v1/kv/raw', bytes, octets)
    expect(stored.status).toBe(200)
    expect((await get('raw')).body).toMatchObject({ encoding: 'base64', value: Buffer.from(bytes).toString('base64') })
    await put('coded', JSON.stringify({ value: Buffer.from(bytes).toString('base64'), encoding: 'base64' }))
    const response = await fetch(`${url}/api/v1/kv/coded`, { headers: { accept: 'application/octet-stream' } })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
    const empty = await ask('PUT', '/api/v1/kv/empty', new Uint8Array(0), octets)
    expect(empty.status).toBe(200)
    expect((await get('empty')).body).toMatchObject({ value: '', encoding: 'base64' })
  })

  test('one key space with the Redis port', async () => {
    const { node, put, get, ask } = await api()
    const { port } = node.resp
    await put('package', '{"value": {"Package": "0ad", "n": 1.0}}')
    expect(await redis(port, 'GET', 'package')).toBe(
      '$27\r\n{"Package": "0ad", "n": 1.0}\r\n'.replace('$27', `$${'{"Package": "0ad", "n": 1.0}'.length}`),
    )
    await put('text', '{"value": "hé"}')
    expect(await redis(port, 'GET', 'text')).toBe(`$3\r\n${Buffer.from('hé').toString('latin1')}\r\n`)
    expect(await redis(port, 'SET', 'fromRedis', 'hello')).toBe('+OK\r\n')
    expect((await get('fromRedis')).body.value).toBe('hello')
    await redis(port, 'SET', 'bytes', Buffer.from([0xff, 0xfe]))
    expect((await get('bytes')).body).toMatchObject({ value: '//4=', encoding: 'base64' })
    // What a Redis client makes of a JSON value is no longer JSON.
    await redis(port, 'APPEND', 'package', 'x')
    expect((await get('package')).body.value).toBe('{"Package": "0ad", "n": 1.0}x')
    await put('temporary', '{"value": 1, "ttlSeconds": 100}')
    const ttl = Number((await redis(port, 'PTTL', 'temporary')).slice(1))
    expect(ttl).toBeGreaterThan(90_000)
    expect(ttl).toBeLessThanOrEqual(100_000)
    await redis(port, 'DEL', 'text')
    expect((await ask('GET', '/api/v1/kv/text')).status).toBe(404)
  })

  test('expires to the millisecond, by the body, by the query, or at a time', async () => {
    let now = 1_700_000_000_000
    const { put, get, ask } = await api({ clock: () => now })
    await put('a', '{"value": 1, "ttlSeconds": 1.5}')
    await ask('PUT', '/api/v1/kv/b?ttlSeconds=2', 'x', octets)
    await put('c', `{"value": 1, "expiresAt": ${now + 3000}}`)
    expect((await get('a')).body).toMatchObject({ expiresAt: now + 1500, timestamp: now })
    const raw = await get('b', { accept: 'application/octet-stream' })
    expect(raw.headers.get('caskade-timestamp')).toBe(String(now))
    expect(raw.headers.get('caskade-expires-at')).toBe(String(now + 2000))
    now += 1499
    expect((await get('a')).status).toBe(200)
    now += 1
    expect((await get('a')).status).toBe(404)
    now += 500
    expect([(await get('b')).status, (await get('c')).status]).toEqual([404, 200])
    for (const [path, body] of [
      ['/api/v1/kv/d?ttlSeconds=0', '{"value":1}'],
      ['/api/v1/kv/d?ttlSeconds=x', '{"value":1}'],
      ['/api/v1/kv/d?ttlSeconds=5', '{"value":1,"ttlSeconds":5}'],
      ['/api/v1/kv/d?ttl=5', '{"value":1}'],
    ] as const)
      expect((await ask('PUT', path, body)).status, path + body).toBe(400)
  })
})

describe('conditions', () => {
  test('in the body and in headers, with the version in the 412', async () => {
    const { put, get, ask } = await api()
    const { version } = (await put('k', '{"value": 1, "condition": "ifNotExists"}')).body
    const taken = await put('k', '{"value": 2, "condition": "ifNotExists"}')
    expect(taken.status).toBe(412)
    expect(taken.body).toEqual({ error: { code: 'CASKADE_CONDITION_FAILED', message: expect.any(String) }, version })
    expect(taken.headers.get('etag')).toBe(`"${version}"`)
    expect((await put('k', '{"value": 2}', { 'if-none-match': '*' })).status).toBe(412)
    expect((await put('k', `{"value": 2, "condition": {"ifVersion": ${version + 1}}}`)).status).toBe(412)
    expect((await put('k', '{"value": 2}', { 'if-match': `"${version + 1}"` })).status).toBe(412)
    expect((await put('k', '{"value": 2}', { 'if-match': 'nonsense' })).status).toBe(400)
    expect((await get('k')).body.value).toBe(1)
    const next = await put('k', `{"value": 2, "condition": {"ifVersion": ${version}}}`)
    expect(next.status).toBe(200)
    expect((await put('k', '{"value": 3}', { 'if-match': `"${next.body.version}"` })).status).toBe(200)
    expect((await put('absent', '{"value": 3}', { 'if-match': '*' })).body.version).toBe(0)
    expect((await ask('PUT', '/api/v1/kv/absent', 'x', { ...octets, 'if-match': '*' })).status).toBe(412)
    expect((await ask('DELETE', '/api/v1/kv/absent', undefined, { 'if-match': '*' })).status).toBe(412)
    expect((await ask('DELETE', '/api/v1/kv/k', undefined, { 'if-match': '"1"' })).status).toBe(412)
    expect((await ask('DELETE', '/api/v1/kv/k', undefined, { 'if-match': '*' })).status).toBe(200)
  })

  test('of a read', async () => {
    const { put, get } = await api()
    const { version } = (await put('k', '{"value": 1}')).body
    const same = await get('k', { 'if-none-match': `"${version}"` })
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', `"${version}"`])
    expect((await get('k', { 'if-none-match': '"0", "99999"' })).status).toBe(200)
    expect((await get('k', { 'if-match': '"99999"' })).status).toBe(412)
  })

  test('racing writers: one wins each version, none is lost', async () => {
    const { put, get } = await api()
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, i) => put('race', `{"value": ${i}, "condition": "ifNotExists"}`)),
    )
    expect(created.filter(({ status }) => status === 200)).toHaveLength(1)
    await put('counter', '{"value": 0}')
    const increment = async () => {
      for (;;) {
        const { body } = await get('counter')
        const { status } = await put(
          'counter',
          `{"value": ${body.value + 1}, "condition": {"ifVersion": ${body.version}}}`,
        )
        if (status === 200) return
      }
    }
    await Promise.all(Array.from({ length: 10 }, increment))
    expect((await get('counter')).body.value).toBe(10)
  })
})

describe('the timestamp', () => {
  test('is that of the write, by every way of writing and of reading', async () => {
    let now = 1_700_000_000_000
    const { node, put, get, ask, batch, write } = await api({ clock: () => now })
    const resp = (...words: string[]) => redis(node.resp.port, ...words)
    const timestamp = async (key: string) => {
      const each = (await get(key)).body.timestamp
      const [item] = (await batch(key)).body.items
      const listed = (await ask('GET', `/api/v1/kv?prefix=${key}&limit=1`)).body.items[0]
      expect([item.timestamp, listed.timestamp]).toEqual([each, each])
      return each
    }
    await put('a', '{"value": "1"}')
    await write({ key: 'b', value: '2' })
    await resp('SET', 'c', '3')
    await resp('MSET', 'd', '4', 'e', '5')
    const first = now
    now += 5000
    for (const key of 'abcde') expect([key, await timestamp(key)]).toEqual([key, first])
    // What changes nothing is no write.
    expect((await put('a', '{"value": "x", "condition": "ifNotExists"}')).status).toBe(412)
    await resp('SETNX', 'a', 'x')
    await resp('PERSIST', 'a')
    await resp('GETEX', 'a')
    await resp('SETBIT', 'a', '0', '0')
    expect(await timestamp('a')).toBe(first)
    const changes: [string, ...string[]][] = [
      ['a', 'APPEND', 'a', '0'],
      ['b', 'EXPIRE', 'b', '100'],
      ['b', 'GETEX', 'b', 'EX', '200'],
      ['b', 'PERSIST', 'b'],
      ['c', 'INCR', 'c'],
      ['c', 'SETRANGE', 'c', '0', 'x'],
      ['f', 'RENAME', 'd', 'f'],
      ['g', 'COPY', 'e', 'g'],
      ['e', 'SETBIT', 'e', '0', '1'],
    ]
    for (const [key, ...words] of changes) {
      now += 10
      expect(await resp(...words)).not.toMatch(/^-/)
      expect([words[0], await timestamp(key)]).toEqual([words[0], now])
    }
  })

  test('is absent where the store does not know it', async () => {
    const { node, get, ask } = await api()
    node.store.putSync(Buffer.from('old'), Buffer.from('1'))
    expect(Object.keys((await get('old')).body)).toEqual(['key', 'value', 'version'])
    const raw = await ask('GET', '/api/v1/kv/old', undefined, { accept: 'application/octet-stream' })
    expect(raw.headers.get('caskade-timestamp')).toBeNull()
  })
})

describe('batches', () => {
  test('reads in the order asked for', async () => {
    const { put, batch } = await api()
    await put('a', '{"value": "A"}')
    await put('%ff', '{"value": 12345678901234567890}')
    const { status, text } = await batch('missing', { base64: '/w==' }, 'a', 'a')
    expect(status).toBe(200)
    expect(text).toContain('"value":12345678901234567890,')
    const { items } = JSON.parse(text)
    expect(items.map((item: { found: boolean }) => item.found)).toEqual([false, true, true, true])
    expect(items[0]).toEqual({ found: false, key: 'missing' })
    expect(items[2]).toEqual({
      found: true,
      key: 'a',
      value: 'A',
      version: expect.any(Number),
      timestamp: expect.any(Number),
    })
    expect((await batch()).body).toEqual({ items: [] })
  })

  test('writes all or nothing, in order', async () => {
    const { put, get, write, batch } = await api()
    const { version } = (await put('old', '{"value": 1}')).body
    const done = await write(
      { key: 'a', value: 1 },
      { type: 'put', key: 'b', value: 'AP8=', encoding: 'base64' },
      { type: 'delete', key: 'old', condition: { ifVersion: version } },
      { key: 'a', value: 2, condition: 'ifNotExists' },
    )
    expect(done.body).toEqual({ success: true, count: 4, version: version + 4 })
    expect((await get('a')).body.value).toBe(2)
    expect((await get('old')).status).toBe(404)
    const refused = await write({ key: 'c', value: 1 }, { key: 'a', value: 9, condition: 'ifNotExists' })
    expect([refused.status, refused.body.error.message]).toEqual([412, expect.stringContaining('operation 1')])
    const invalid = await write({ key: 'c', value: 1 }, { key: '', value: 1 })
    expect(invalid.status).toBe(400)
    expect((await batch('c')).body.items[0].found).toBe(false)
    expect((await write()).body).toMatchObject({ success: true, count: 0 })
  })

  test('takes lines of NDJSON', async () => {
    const { ask, get } = await api()
    const lines = '{"key": "x", "value": {"deep": [1]}}\n\n{"key":"y","value":"two"}\r\n{"type":"delete","key":"x"}'
    const done = await ask('POST', '/api/v1/kv/batch/write', lines, { 'content-type': 'application/x-ndjson' })
    expect(done.body).toMatchObject({ success: true, count: 3 })
    expect([(await get('x')).status, (await get('y')).body.value]).toEqual([404, 'two'])
    const broken = await ask('POST', '/api/v1/kv/batch/write', '{"key":"z","value":1}\n{"key":', {
      'content-type': 'application/x-ndjson',
    })
    expect([broken.status, broken.body.error.code]).toEqual([400, 'CASKADE_INVALID_JSON'])
    expect(broken.body.error.message).toContain('line 2')
    expect((await get('z')).status).toBe(404)
  })

  test('are bounded', async () => {
    const { batch, write, ask } = await api()
    expect((await batch(...Array.from({ length: 1001 }, (_, i) => `k${i}`))).body.error.code).toBe('CASKADE_TOO_LARGE')
    expect((await write(...Array.from({ length: 10_001 }, () => ({ key: 'k', value: 1 })))).status).toBe(413)
    for (const body of [
      '',
      '[]',
      '{}',
      '{"keys": "a"}',
      '{"keys": [], "keys": []}',
      '{"keys": [], "x": 1}',
      '{"keys": [1]}',
      '{"keys": []} x',
      '\ufeff{"keys":[]}',
    ])
      expect((await ask('POST', '/api/v1/kv/batch', body)).status, body).toBe(400)
  })
})

describe('listing', () => {
  test('pages in key order, by prefix, with and without values', async () => {
    const { write, ask, put } = await api()
    await write(...Array.from({ length: 25 }, (_, i) => ({ key: `p/${String(i).padStart(2, '0')}`, value: i })))
    await put('q', '{"value": "other"}')
    await put('%ff%01', '{"value": "bytes"}')
    const seen: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const { body } = await ask(
        'GET',
        `/api/v1/kv?prefix=p/&limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...body.items.map((item: { key: string }) => item.key))
      cursor = body.cursor
      pages++
    } while (cursor !== undefined)
    expect(pages).toBe(3)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `p/${String(i).padStart(2, '0')}`))
    const { body: keys } = await ask('GET', '/api/v1/kv?values=false&limit=1000')
    expect(keys.items).toHaveLength(27)
    expect(keys.items[0]).toEqual({ key: 'p/00', version: expect.any(Number), timestamp: expect.any(Number) })
    expect(keys.items[26]).toMatchObject({ key: { base64: '/wE=' } })
    expect((await ask('GET', '/api/v1/kv?prefix=%ff')).body.items).toHaveLength(1)
    expect((await ask('GET', '/api/v1/kv?prefix=none')).body).toEqual({ items: [] })
    for (const query of ['limit=0', 'limit=1001', 'cursor=zzz', 'prefix=%zz', 'nope=1'])
      expect((await ask('GET', `/api/v1/kv?${query}`)).status, query).toBe(400)
  })

  test('as lines that batch/write takes back', async () => {
    const { ask, write, put } = await api()
    const lines =
      '{"key": "a", "value": {"n": 1.50, "s": "é"}}\n{"key": "b", "value": "text"}\n{"key": "c", "value": "AP8=", "encoding": "base64"}\n'
    await ask('POST', '/api/v1/kv/batch/write', lines, { 'content-type': 'application/x-ndjson' })
    const listed = await ask('GET', '/api/v1/kv?limit=2', undefined, { accept: 'application/x-ndjson' })
    expect(listed.text).toBe(
      lines
        .split('\n')
        .slice(0, 2)
        .map((line) => `${line}\n`)
        .join(''),
    )
    const cursor = listed.headers.get('caskade-cursor')
    const rest = await ask('GET', `/api/v1/kv?limit=2&cursor=${cursor}`, undefined, { accept: 'application/x-ndjson' })
    expect([rest.text, rest.headers.get('caskade-cursor')]).toEqual([`${lines.split('\n')[2]}\n`, null])
    // A value with line breaks stays one line.
    await put('d', '{"value": [\n1\r\n]}')
    await put('e', '{"value": 1, "expiresAt": 99999999999999}')
    const more = await ask('GET', '/api/v1/kv?cursor=aYw', undefined, { accept: 'application/x-ndjson' })
    expect(more.text).toBe('{"key": "d", "value": [ 1  ]}\n{"key": "e", "value": 1, "expiresAt": 99999999999999}\n')
    expect((await ask('GET', '/api/v1/kv', undefined, { accept: 'text/html' })).status).toBe(406)
    expect((await write()).status).toBe(200)
  })

  test('a page ends early where values are large', async () => {
    const { ask } = await api()
    for (const key of ['a', 'b', 'c']) await ask('PUT', `/api/v1/kv/${key}`, new Uint8Array(700_000), octets)
    const { body } = await ask('GET', '/api/v1/kv')
    expect(body.items.map((item: { key: string }) => item.key)).toEqual(['a', 'b'])
    expect(body.cursor).toBeDefined()
  })
})

describe('what is not there', () => {
  test('has codes', async () => {
    const { ask, put, get } = await api()
    const codes = async (answer: ReturnType<typeof ask>) => [(await answer).status, (await answer).body.error.code]
    expect(await codes(ask('GET', '/nope'))).toEqual([404, 'CASKADE_NO_ROUTE'])
    const wrong = await ask('POST', '/api/v1/kv/a', '{}')
    expect([wrong.status, wrong.body.error.code, wrong.headers.get('allow')]).toEqual([
      405,
      'CASKADE_METHOD_NOT_ALLOWED',
      'DELETE, GET, HEAD, PUT',
    ])
    expect(await codes(ask('DELETE', '/api/v1/kv'))).toEqual([405, 'CASKADE_METHOD_NOT_ALLOWED'])
    expect(await codes(ask('PUT', '/api/v1/kv/a', 'x', { 'content-type': 'text/plain' }))).toEqual([
      415,
      'CASKADE_UNSUPPORTED_MEDIA_TYPE',
    ])
    expect(
      await codes(ask('PUT', '/api/v1/kv/a', 'x', { 'content-type': 'application/x-www-form-urlencoded' })),
    ).toEqual([415, 'CASKADE_UNSUPPORTED_MEDIA_TYPE'])
    expect(await codes(ask('PUT', '/api/v1/kv/a', '{}', { 'content-type': 'application/x-ndjson' }))).toEqual([
      415,
      'CASKADE_UNSUPPORTED_MEDIA_TYPE',
    ])
    expect(await codes(ask('PUT', '/api/v1/kv/a'))).toEqual([415, 'CASKADE_UNSUPPORTED_MEDIA_TYPE'])
    expect(await codes(put('a', '{"value":'))).toEqual([400, 'CASKADE_INVALID_JSON'])
    expect(await codes(put('a', '{}'))).toEqual([400, 'CASKADE_BAD_REQUEST'])
    expect(await codes(ask('PUT', '/api/v1/kv/a', Buffer.from('{"value":"\xff"}', 'latin1')))).toEqual([
      400,
      'CASKADE_INVALID_JSON',
    ])
    await put('a', '{"value": 1}')
    expect(await codes(get('a', { accept: 'image/png' }))).toEqual([406, 'CASKADE_NOT_ACCEPTABLE'])
    expect(await codes(ask('GET', '/api/v1/kv/a?x=1'))).toEqual([400, 'CASKADE_BAD_REQUEST'])
  })
})

describe('what a node tells of itself', () => {
  test('health, status and OpenAPI', async () => {
    const { ask, node } = await api()
    expect((await ask('GET', '/livez')).body).toEqual({ status: 'alive' })
    expect((await ask('GET', '/readyz')).body).toEqual({ status: 'ready' })
    expect((await ask('GET', '/api/v1/status')).body).toMatchObject({
      pid: process.pid,
      ready: true,
      http: { port: node.http.port },
    })
    const { body } = await ask('GET', '/openapi.json')
    expect(Object.keys(body.paths).sort()).toEqual([
      '/api/v1/kv',
      '/api/v1/kv/batch',
      '/api/v1/kv/batch/write',
      '/api/v1/kv/{key}',
      '/api/v1/status',
      '/livez',
      '/readyz',
    ])
    expect(Object.keys(body.paths['/api/v1/kv/batch/write'].post.requestBody.content)).toEqual([
      'application/json',
      'application/x-ndjson',
    ])
    expect(Object.keys(body.paths['/api/v1/kv/{key}'])).toEqual(['get', 'put', 'delete'])
  })

  test('metrics count what happened', async () => {
    const { ask, put, node } = await api()
    await put('a', '{"value": 1}')
    await ask('GET', '/api/v1/kv/none')
    await redis(node.resp.port, 'GET', 'a')
    const { text } = await ask('GET', '/metrics')
    expect(text).toMatch(
      /^caskade_http_request_duration_seconds_count\{method="PUT",route="\/api\/v1\/kv\/:key",status="200"\} 1$/m,
    )
    expect(text).toMatch(/^caskade_http_request_duration_seconds_bucket\{.*status="404",le="\+Inf"\} 1$/m)
    expect(text).toMatch(/^caskade_resp_commands_total\{command="get"\} 1$/m)
    expect(text).toMatch(/^caskade_store_writes_total 1$/m)
    expect(text).toMatch(/^caskade_ready 1$/m)
    expect(
      text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('caskade_')),
    ).toEqual([])
  })

  test('metrics lint clean with promtool', async (context) => {
    try {
      execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    } catch {
      return context.skip('promtool is not installed here')
    }
    const { ask, put } = await api()
    await put('a', '{"value": 1}')
    const { text } = await ask('GET', '/metrics')
    execFileSync('promtool', ['check', 'metrics'], { input: text })
  })
})

describe('with a password', () => {
  test('everything asks for it, but health and metrics on the loopback address', async () => {
    const { ask, node } = await api({ password: 'secret' })
    for (const [method, path] of [
      ['GET', '/api/v1/kv/a'],
      ['GET', '/api/v1/kv'],
      ['PUT', '/api/v1/kv/a'],
      ['DELETE', '/api/v1/kv/a'],
      ['POST', '/api/v1/kv/batch'],
      ['POST', '/api/v1/kv/batch/write'],
      ['GET', '/api/v1/status'],
      ['GET', '/openapi.json'],
      ['GET', '/nope'],
      ['GET', '//metrics'],
      ['GET', '/metrics/'],
      ['GET', '/METRICS'],
    ] as const) {
      const answer = await ask(method, path)
      expect([answer.status, answer.body.error.code], path).toEqual([401, 'CASKADE_UNAUTHORIZED'])
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await ask('GET', path)).status, path).toBe(200)
    const bearer = { authorization: 'Bearer secret' }
    expect((await ask('PUT', '/api/v1/kv/a', '{"value": 1}', bearer)).status).toBe(200)
    expect((await ask('GET', '/api/v1/kv/a', undefined, { authorization: `Basic ${btoa('any:secret')}` })).status).toBe(
      200,
    )
    expect((await ask('GET', '/api/v1/kv/a', undefined, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect(await redis(node.resp.port, 'GET', 'a')).toMatch(/^-NOAUTH/)
  })

  test('without one, only loopback names are answered', async () => {
    const { url } = await testNode()
    const { request } = await import('node:http')
    const status = (host: string) =>
      new Promise((resolve, reject) => {
        request(`${url}/livez`, { headers: { host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
    expect([await status('localhost:7380'), await status('127.0.0.1'), await status('[::1]:1')]).toEqual([
      200, 200, 200,
    ])
    expect([await status('evil.example:7380'), await status('127.0.0.1.evil.example')]).toEqual([403, 403])
  })
})
