import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ServerProcess } from '../server-process.js'
import { TemporaryDirectory } from '../temporary-directory.js'

const run = promisify(execFile)
const installed = spawnSync('redis-benchmark', ['--version']).status === 0

// Debian's redis-tools, unmodified; .ci/run installs them.
describe.skipIf(!installed)('redis-tools', () => {
  const directory = new TemporaryDirectory()
  let server: ServerProcess

  beforeAll(async () => {
    server = await ServerProcess.start({ directory: directory.path })
  })

  afterAll(async () => {
    expect(await server.signal('SIGTERM')).toBe(0)
    directory[Symbol.dispose]()
  })

  const cli = async (...args: string[]) => {
    const { stdout } = await run('redis-cli', ['-p', String(server.respPort), ...args])
    return stdout.trimEnd()
  }
  const benchmark = async (...args: string[]) => {
    const { stdout, stderr } = await run('redis-benchmark', ['-p', String(server.respPort), ...args])
    return stdout + stderr
  }

  test('redis-benchmark runs all it can of its default tests', async () => {
    const report = await benchmark('-n', '20000', '-t', 'ping,set,get,incr,mset')
    for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET (10 keys)'])
      expect(report).toContain(`====== ${name} ======`)
    expect(report).not.toMatch(/error/i)
    expect(await cli('get', 'counter:__rand_int__')).toBe('20000')
  })

  test.each([16, 64])('redis-benchmark with a pipeline of %i', async (depth) => {
    const load = ['-n', '100000', '-r', '10000', '-d', '100', '-P', String(depth), '-t', 'set,get', '--csv']
    const report = await benchmark(...load)
    expect(report).toMatch(/"SET","[\d.]+"/)
    expect(report).toMatch(/"GET","[\d.]+"/)
    expect(report).not.toMatch(/error/i)
  })

  test('redis-cli: commands, RESP3, its own ways to ask', async () => {
    expect(await cli('set', 'a key', 'a value')).toBe('OK')
    expect(await cli('get', 'a key')).toBe('a value')
    expect(await cli('-3', 'get', 'missing')).toBe('')
    expect(await cli('--raw', 'echo', 'é')).toBe('é')
    expect(await cli('nonsense')).toContain("ERR unknown command 'nonsense'")
    const keys = (await cli('--scan', '--pattern', 'key:*')).split('\n')
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.length).toBeGreaterThan(5000)
    expect(Number(await cli('dbsize'))).toBeGreaterThan(keys.length)
    expect(await cli('info', 'server')).toContain('redis_version:')
  })

  test('redis-cli --pipe loads a file of commands', async () => {
    const commands = Array.from({ length: 5000 }, (_, i) => `SET piped:${i} ${i}\r\n`).join('')
    const { stdout, status } = spawnSync('redis-cli', ['-p', String(server.respPort), '--pipe'], {
      input: commands,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout).toContain('errors: 0, replies: 5000')
    expect(await cli('get', 'piped:4999')).toBe('4999')
  })
})
