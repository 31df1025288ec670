import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runForTest } from './test-run.js'

const present = spawnSync('redis-server', ['--version']).status === 0
if (!present) console.warn('redis-server is not installed: the load generator is not tested against it')

describe.skipIf(!present)('against redis-server', () => {
  let directory: string
  let redis: ChildProcess
  let port: number

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'loadgen-redis-'))
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    port = (probe.address() as AddressInfo).port
    probe.close()
    await once(probe, 'close')
    redis = spawn('redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
      '--requirepass',
      'open sesame',
    ])
    for await (const chunk of redis.stdout!) if (String(chunk).includes('Ready to accept connections')) break
  })

  afterAll(async () => {
    redis.kill('SIGKILL')
    await once(redis, 'exit')
    rmSync(directory, { recursive: true })
  })

  test.each([
    ['a', 16],
    ['b', 1],
    ['c', 4],
    ['d', 16],
    ['f', 16],
    ['mix-70-30', 1],
  ])('workload %s, pipeline %i: verified', async (workload, pipeline) => {
    const argv = [
      '-w',
      workload,
      '-P',
      pipeline,
      '--records',
      1000,
      '--operations',
      20_000,
      '-c',
      8,
      '--verify',
      '--password',
      'open sesame',
    ]
    const { code, notes, results } = await runForTest(port, argv)
    expect(notes).toBe('')
    const run = results.find((line) => line.phase === 'run' && line.operation === undefined)!
    expect(run).toMatchObject({ n: 20_000, errorCount: 0, violationCount: 0, absent: 0 })
    expect(code).toBe(0)
  })

  test('values and read batches larger than one socket read arrive whole', async () => {
    const argv = [
      '-w',
      'a',
      '-P',
      2,
      '--records',
      50,
      '--operations',
      400,
      '-c',
      2,
      '--value-bytes',
      '300K',
      '--read-batch',
      3,
      '--verify',
    ]
    const { results, code } = await runForTest(port, [...argv, '--password', 'open sesame'])
    expect(results.find((line) => line.phase === 'run')).toMatchObject({ n: 400, errorCount: 0, violationCount: 0 })
    expect(code).toBe(0)
  })

  test('a missing password is explained', async () => {
    const { notes, code } = await runForTest(port, [])
    expect(notes).toContain('pass --password')
    expect(code).toBe(3)
  })
})
