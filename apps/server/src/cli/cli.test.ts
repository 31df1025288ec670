import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../node.test-fixture.js'
import { version } from '../version.js'
import { caskade, startServer } from './cli.test-fixture.js'

describe('records', () => {
  test('are put, read, listed and deleted, for people and for programs', async () => {
    const server = await startServer(await temporaryDirectory())
    expect(await server.caskade('put', 'greeting', 'hello')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^stored, version \d+\n$/),
      err: '',
    })
    expect(await server.caskade('get', 'greeting')).toEqual({ code: 0, out: 'hello', err: '' })
    expect(JSON.parse((await server.caskade('get', 'greeting', '-o', 'json')).out)).toMatchObject({
      key: 'greeting',
      value: 'hello',
    })
    const missing = await server.caskade('get', 'nothing')
    expect(missing).toEqual({ code: 1, out: '', err: 'caskade: there is no record under nothing\n' })

    expect(
      (await server.caskade('put', 'user/1', '{"name": "Ada", "n": 12345678901234567890}', '--type', 'json')).code,
    ).toBe(0)
    expect((await server.caskade('get', 'user/1')).out).toBe('{"name": "Ada", "n": 12345678901234567890}')
    const broken = await server.caskade('put', 'user/2', '{"name"', '--type', 'json')
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining('CASKADE_INVALID_JSON')])
    expect(
      (
        await caskade(['put', '..', '--type', 'binary', '--file', '-', '--url', server.url], {
          input: Buffer.from([0, 255, 10]),
        })
      ).code,
    ).toBe(0)
    expect(JSON.parse((await server.caskade('get', '..', '-o', 'json')).out)).toMatchObject({
      value: 'AP8K',
      encoding: 'base64',
    })
    expect((await server.caskade('put', '/w==', 'x', '--key-base64')).code).toBe(0)
    expect((await server.caskade('put', 'brief', 'x', '--ttl-seconds', '1000')).code).toBe(0)

    const table = (await server.caskade('scan')).out.split('\n')
    expect(table[0]).toMatch(/^KEY +VERSION {2}EXPIRES +VALUE$/)
    expect(table[1]).toMatch(/^\.\. +\d+ {2}never +base64 AP8K$/)
    expect(table[2]).toMatch(/^brief +\d+ {2}20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}x$/)
    expect(table).toHaveLength(7)
    expect((await server.caskade('scan', '--prefix', 'user/', '-o', 'ndjson')).out).toBe(
      '{"key": "user/1", "value": {"name": "Ada", "n": 12345678901234567890}}\n',
    )
    expect((await server.caskade('scan', '--keys-only', '--limit', '2', '-o', 'ndjson')).out).toBe(
      '{"key": ".."}\n{"key": "brief"}\n',
    )
    expect((await server.caskade('scan', '--prefix', 'user/', '-o', 'json')).out).toContain(
      '"value":{"name": "Ada", "n": 12345678901234567890},',
    )
    expect((await server.caskade('scan', '--prefix', 'none', '-o', 'json')).out).toBe('[]\n')

    expect((await server.caskade('put', 'greeting', 'x', '--if-not-exists')).code).toBe(1)
    const conflict = await server.caskade('put', 'greeting', 'x', '--if-version', '999')
    expect([conflict.code, conflict.err]).toEqual([1, expect.stringContaining('CASKADE_CONDITION_FAILED')])
    expect((await server.caskade('put', 'greeting', 'x', '--if-version', '1')).code).toBe(0)
    expect((await server.caskade('del', 'greeting', '--if-version', '1')).code).toBe(1)
    expect(await server.caskade('del', 'greeting')).toEqual({ code: 0, out: 'deleted\n', err: '' })
    expect(await server.caskade('del', 'greeting')).toEqual({
      code: 1,
      out: '',
      err: 'caskade: there is no record under greeting\n',
    })
  })

  test('status and bench', async () => {
    const server = await startServer(await temporaryDirectory())
    const status = await server.caskade('status')
    expect(status).toMatchObject({ code: 0, err: '' })
    expect(status.out).toMatch(/^state +ready\nversion /)
    expect(JSON.parse((await server.caskade('status', '-o', 'json')).out)).toMatchObject({
      pid: server.child.pid,
      ready: true,
    })
    const bench = await server.caskade(
      'bench',
      '--resp-port',
      String(server.respPort),
      '--requests',
      '2000',
      '--clients',
      '5',
      '-o',
      'ndjson',
    )
    expect(bench).toMatchObject({ code: 0, err: '' })
    const lines = bench.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { bench: string; n: number; opsPerSec: number })
    expect(lines.map(({ bench, n }) => [bench, n])).toEqual([
      ['redis SET', 2000],
      ['redis GET', 2000],
      ['http PUT', 200],
      ['http GET', 200],
    ])
    for (const { opsPerSec } of lines) expect(opsPerSec).toBeGreaterThan(0)
    expect((await server.caskade('scan')).out).toBe('')
  })
})

describe('files', () => {
  test('what is exported is what was imported, byte for byte', async () => {
    const directory = await temporaryDirectory()
    const server = await startServer(join(directory, 'data'))
    const lines = Array.from(
      { length: 3000 },
      (_, i) =>
        `{"key": "r/${String(i).padStart(5, '0')}", "value": {"n": ${i}.0, "text": "é\\u00e9 \\n", "n": 1e${i}}}\n`,
    )
    const text = lines.join('')
    await writeFile(join(directory, 'in.ndjson'), text)
    const imported = await server.caskade('import', join(directory, 'in.ndjson'), '-o', 'json')
    expect(imported).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(imported.out)).toMatchObject({ records: 3000, resumedAfter: 0 })
    const file = join(directory, 'out.ndjson')
    expect(await server.caskade('export', file)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^exported 3,000 records/),
    })
    expect(await readFile(file, 'utf8')).toBe(text)
    expect((await server.caskade('export')).out).toBe(text)
    await server.caskade('export', `${file}.gz`, '--limit', '1500')
    const packed = gunzipSync(await readFile(`${file}.gz`)).toString()
    expect(packed).toBe(lines.slice(0, 1500).join(''))

    // A cut export goes on after its last whole line.
    await writeFile(`${file}.part`, text.slice(0, text.indexOf('r/01234') + 20))
    const resumed = await server.caskade('export', file)
    expect(resumed.err).toContain('after 1,234 lines')
    expect(await readFile(file, 'utf8')).toBe(text)

    const other = await startServer(join(directory, 'other'))
    expect((await other.caskade('import', `${file}.gz`)).code).toBe(0)
    expect(
      (await caskade(['import', '-', '--url', other.url], { input: lines.slice(1500).join('').trimEnd() })).code,
    ).toBe(0)
    expect((await other.caskade('export')).out).toBe(text)
  })

  test('a wrong line is named, and what was stored before it is said', async () => {
    const directory = await temporaryDirectory()
    const server = await startServer(join(directory, 'data'))
    const path = join(directory, 'in.ndjson')
    const lines = Array.from({ length: 100 }, (_, i) => `{"key":"${i}","value":${i}}`)
    lines[56] = '{"key":"57","value":01}'
    await writeFile(path, lines.join('\n'))
    const failed = await server.caskade('import', path, '--batch-records', '10', '--in-flight', '1')
    expect([failed.code, failed.out]).toEqual([1, ''])
    expect(failed.err).toMatch(
      /in\.ndjson: line 57: .*CASKADE_INVALID_JSON\)\n50 lines are stored; run the same command again/s,
    )
    await writeFile(path, '')
    expect((await server.caskade('import', path)).out).toContain('imported 0 records')
    expect((await server.caskade('import', join(directory, 'none'))).code).toBe(2)
    await writeFile(join(directory, 'cut.gz'), Buffer.from('1f8b0800', 'hex'))
    expect((await server.caskade('import', join(directory, 'cut.gz'))).code).toBe(1)
  })
})

describe('exit codes', () => {
  test('0 for help and version', async () => {
    expect(await caskade(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
    const help = await caskade(['help'])
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('import')])
    expect((await caskade(['import', '--help'])).out).toContain('caskade import packages.ndjson.gz')
  })

  test('2 for a wrong command line', async () => {
    for (const args of [
      [],
      ['nope'],
      ['get'],
      ['get', 'a', 'b'],
      ['get', 'a', '--nope'],
      ['get', 'a', '--http-port', 'x'],
      ['put', 'a'],
      ['get', ''],
      ['get', 'a', '-o', 'xml'],
      ['get', '!', '--key-base64'],
      ['get', 'a', '--url', 'ftp://x'],
    ]) {
      const run = await caskade(args)
      expect(run.code, args.join(' ')).toBe(2)
      expect(run.err, args.join(' ')).not.toBe('')
    }
    expect((await caskade(['sacn'])).err).toContain('Did you mean scan?')
  })

  test('3 where nothing answers, with a word on what to do', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const { port } = probe.address() as { port: number }
    await new Promise((resolve) => probe.close(resolve))
    const run = await caskade(['get', 'a', '--http-port', String(port)])
    expect(run).toEqual({
      code: 3,
      out: '',
      err: `caskade: nothing answers at http://127.0.0.1:${port}: start a node with "npm start", or name another with --url\n`,
    })
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}`
    const late = await caskade(['get', 'a', '--url', url, '--timeout-ms', '100'])
    expect([late.code, late.err]).toEqual([3, expect.stringContaining('no answer within 100 ms')])
    silent.close()
  })

  test('check: sound, damaged, absent, in use', async () => {
    const directory = await temporaryDirectory()
    const data = join(directory, 'data')
    const server = await startServer(data)
    await server.caskade('put', 'a', 'x'.repeat(10_000))
    const used = await caskade(['check', data])
    expect(used.code).toBe(5)
    expect(used.err).toContain(`is in use by process ${server.child.pid}`)
    const second = await caskade(['server', '--data-dir', data, '--resp-port', '0', '--http-port', '0'])
    expect([second.code, second.err]).toEqual([5, expect.stringContaining(`process ${server.child.pid}`)])
    server.child.kill('SIGTERM')
    await server.ended
    expect(await caskade(['check', data])).toMatchObject({ code: 0, out: expect.stringContaining('is sound') })
    expect(JSON.parse((await caskade(['check', '--data-dir', data, '-o', 'json'])).out)).toMatchObject({
      records: 1,
      errors: [],
    })
    const absent = await caskade(['check', join(directory, 'none')])
    expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('there is no directory')])

    const { readdir } = await import('node:fs/promises')
    const [table] = (await readdir(data)).filter((name) => name.endsWith('.sst'))
    const bytes = await readFile(join(data, table!))
    bytes[20]! ^= 1
    await writeFile(join(data, table!), bytes)
    const damaged = await caskade(['check', data])
    expect(damaged.code).toBe(4)
    expect(damaged.out + damaged.err).toContain(table)

    const repaired = await caskade(['repair', data])
    expect(repaired).toMatchObject({ code: 0, out: expect.stringContaining('opens again; 1 records') })
    expect(await readdir(join(data, 'lost'))).toEqual([table])
    expect(await caskade(['check', data])).toMatchObject({ code: 0, out: expect.stringContaining('1 records') })
    expect((await caskade(['repair', data])).out).toContain('nothing was changed')
    expect((await caskade(['repair', join(directory, 'none')])).err).toContain('there is no directory')
  })
})

describe('the server', () => {
  test('drains and exits 0 on SIGTERM and SIGINT, also when told twice', async () => {
    const directory = await temporaryDirectory()
    for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGTERM', 'SIGTERM']] as NodeJS.Signals[][]) {
      const server = await startServer(directory, '--drain-ms', '60000')
      const { connect } = await import('node:net')
      // A request that never ends holds the first signal up.
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      if (signals.length > 1) {
        socket.write(
          'PUT /api/v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
        )
        await sleep(200)
      }
      for (const signal of signals) {
        server.child.kill(signal)
        await sleep(200)
      }
      const run = await server.ended
      expect([run.code, run.out]).toEqual([0, expect.stringContaining('Stopped.\n')])
      socket.destroy()
    }
  })

  test('refuses an open address without a password, and takes one from a file', async () => {
    const directory = await temporaryDirectory()
    const base = ['server', '--data-dir', join(directory, 'data'), '--resp-port', '0', '--http-port', '0']
    const refused = await caskade([...base, '--http-host', '0.0.0.0'])
    expect([refused.code, refused.out]).toEqual([2, ''])
    expect(refused.err).toContain('give one with --password-file FILE')
    const password = join(directory, 'password')
    await writeFile(password, 'secret\n', { mode: 0o600 })
    const server = await startServer(join(directory, 'data'), '--http-host', '0.0.0.0', '--password-file', password)
    expect(server.summary).toContain('--askpass')
    const url = server.url.replace('0.0.0.0', '127.0.0.1')
    expect(await caskade(['put', 'a', 'b', '--url', url])).toMatchObject({
      code: 1,
      err: expect.stringContaining('asks for a password'),
    })
    expect((await caskade(['put', 'a', 'b', '--url', url, '--password-file', password])).code).toBe(0)
    expect((await caskade(['get', 'a'], { env: { CASKADE_URL: url, CASKADE_PASSWORD: 'secret' } })).out).toBe('b')
    await chmod(password, 0o644)
    expect((await caskade(['get', 'a', '--url', url, '--password-file', password])).code).toBe(2)
  })

  test('logs JSON lines to standard error or a file, summary apart', async () => {
    const directory = await temporaryDirectory()
    const logFile = join(directory, 'node.log')
    const server = await startServer(join(directory, 'data'), '--log-file', logFile)
    server.child.kill('SIGTERM')
    const { err } = await server.ended
    expect(err).toBe('')
    const events = (await readFile(logFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event?: string; level: string })
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['listening', 'draining', 'stopped']))
    const nowhere = await caskade([
      'server',
      '--data-dir',
      join(directory, 'data'),
      '--log-file',
      join(directory, 'no', 'x.log'),
    ])
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('cannot write the log file')])
    const other = await startServer(join(directory, 'data'))
    other.child.kill('SIGTERM')
    for (const line of (await other.ended).err.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: 'info' })
  })

  test('says what is wrong with a port', async () => {
    const server = await startServer(await temporaryDirectory())
    const taken = await caskade([
      'server',
      '--data-dir',
      await temporaryDirectory(),
      '--resp-port',
      '0',
      '--http-port',
      new URL(server.url).port,
    ])
    expect([taken.code, taken.out]).toEqual([1, ''])
    expect(taken.err).toContain('is taken by another process')
  })
})

test('config print tells where each value comes from and hides secrets', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'c.yaml')
  await writeFile(file, 'durability: sync\nhttp-port: 1\n')
  const run = await caskade(['config', 'print', '--http-port', '2', '--config', file], {
    env: { CASKADE_PASSWORD: 'hush', CASKADE_HTTP_PORT: '3' },
  })
  expect(run.code).toBe(0)
  expect(run.out).toMatch(/^SETTING +VALUE +FROM\n/)
  expect(run.out).toMatch(/^http-port +2 +flag --http-port$/m)
  expect(run.out).toMatch(/^durability +sync +file .*c\.yaml$/m)
  expect(run.out).toMatch(/^password +\(hidden\) +environment CASKADE_PASSWORD$/m)
  expect(run.out).toMatch(/^mmap +auto +default$/m)
  expect(run.out).not.toContain('hush')
  const wrong = join(directory, 'wrong.yaml')
  await writeFile(wrong, 'durabilty: sync\n')
  expect(await caskade(['config', 'print', '--config', wrong])).toEqual({
    code: 2,
    out: '',
    err: `caskade: ${wrong}: there is no setting "durabilty"; did you mean durability?\n`,
  })
})
