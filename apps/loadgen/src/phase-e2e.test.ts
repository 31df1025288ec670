import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runForTest } from './test-run.js'
import { httpTestServer, respTestServer, type TestServer } from './test-servers.js'

/** Resolves in the middle of the server's read number `count`: later than the load phase, however slow the machine. */
function readsReach(server: TestServer, count: number): Promise<void> {
  let reads = 0
  return new Promise((resolve) => {
    server.lie = (_key, truth) => {
      if (++reads === count) resolve()
      return truth
    }
  })
}

test('open loop: a stall of 200 ms is in the tail, though only one operation per connection waited in it', async () => {
  await using server = await respTestServer()
  const stalled = readsReach(server, 100).then(async () => {
    server.stall = sleep(200)
    await server.stall
    server.stall = undefined
  })
  const argv = ['--records', 10, '-w', 'c', '-c', 2, '--value-bytes', 20, '--rate', 500, '--duration', '1500ms']
  const { results, code } = await runForTest(server.port, argv)
  await stalled
  const run = results.find((line) => line.phase === 'run')!
  // 100 of 750 operations were due during the stall: every percentile above the 87th must show it.
  expect(run).toMatchObject({ n: 750, unsent: 0, errorCount: 0 })
  expect(run.p99Us).toBeGreaterThan(150_000)
  expect(run.p90Us).toBeGreaterThan(20_000)
  expect(run.late).toBeGreaterThan(80)
  expect(code).toBe(0)
})

test('open loop: what could not be sent is said', async () => {
  await using server = await respTestServer()
  await runForTest(server.port, ['--phase', 'load', '--records', 10, '--value-bytes', 20])
  let giveIn = () => {}
  const held = new Promise<void>((resolve) => {
    giveIn = resolve
  })
  const holding = readsReach(server, 50).then(() => {
    server.stall = held
  })
  const argv = '--phase run --records 10 -w c -c 1 --rate 1000 --duration 500ms --timeout 600ms'.split(' ')
  const { results } = await runForTest(server.port, argv)
  giveIn()
  await holding
  expect(results[0]!.errorCount).toBeGreaterThan(0)
  expect(results[0]!.unsent + results[0]!.n + results[0]!.errorCount).toBeGreaterThanOrEqual(500)
  expect(results[0]!.unsent).toBeGreaterThan(100)
})

test('a connection that had nothing to ask for longer than the timeout has not timed out', async () => {
  await using server = await respTestServer()
  const argv = '--records 4 --value-bytes 20 -w c -c 4 --rate 8 --duration 2s --timeout 300ms'.split(' ')
  const { results } = await runForTest(server.port, argv)
  expect(results.find((line) => line.phase === 'run')).toMatchObject({ n: 16, errorCount: 0, disconnects: 0 })
})

test('a server that falls silent: timeouts are counted and other connections are tried', async () => {
  await using server = await respTestServer()
  let answer = () => {}
  const silence = readsReach(server, 50).then(() => {
    server.stall = new Promise((resolve) => {
      answer = resolve
    })
  })
  const argv = '--records 4 --value-bytes 20 -w c -c 2 --duration 1500ms --timeout 200ms'.split(' ')
  const { results, code } = await runForTest(server.port, argv)
  await silence
  answer()
  const run = results.find((line) => line.phase === 'run')!
  expect(run.errors.timeout).toBeGreaterThan(2)
  expect(run.disconnects).toBeGreaterThan(2)
  expect(code).toBe(0)
})

test('the warm-up is sent and not reported', async () => {
  await using server = await respTestServer()
  let reads = 0
  server.lie = (_key, truth) => {
    reads++
    return truth
  }
  const argv = [
    '-w',
    'c',
    '--records',
    10,
    '--value-bytes',
    20,
    '-c',
    2,
    '--warmup',
    '200ms',
    '--rate',
    1000,
    '--operations',
    100,
  ]
  const { results } = await runForTest(server.port, argv)
  expect(results.find((line) => line.phase === 'run')!.n).toBe(100)
  // One more read is the preflight's.
  expect(Math.abs(reads - 301)).toBeLessThanOrEqual(2)
})

test('the server goes away and comes back: errors are counted, the run ends well', async () => {
  const first = await respTestServer()
  const { port, store } = first
  const running = runForTest(port, [
    '-w',
    'a',
    '--records',
    50,
    '--value-bytes',
    60,
    '-c',
    4,
    '--duration',
    '1500ms',
    '--verify',
  ])
  await readsReach(first, 100)
  await first.close()
  await sleep(300)
  await using _second = await respTestServer(port, store)
  const { code, results } = await running
  const run = results.find((line) => line.phase === 'run')!
  expect(run).toMatchObject({ disconnects: 4, outcome: 'complete', violationCount: 0 })
  expect(run.errors.disconnected).toBeGreaterThan(0)
  expect(run.errors['connect ECONNREFUSED']).toBeGreaterThan(0)
  expect(code).toBe(0)
})

test('--reconnect 0: the loss of the server ends the run with 3', async () => {
  const server = await respTestServer()
  const running = runForTest(server.port, ['--records', 50, '-c', 2, '--duration', '20s', '--reconnect', 0])
  await readsReach(server, 20)
  await server.close()
  const { code, results } = await running
  expect(results.find((line) => line.phase === 'run')!.outcome).toBe('server-gone')
  expect(code).toBe(3)
})

test('an interrupt ends the run early, with a report', async () => {
  await using server = await respTestServer()
  const interrupt = new AbortController()
  const running = runForTest(server.port, ['--records', 50, '-c', 2, '--duration', '20s'], interrupt.signal)
  await readsReach(server, 100)
  interrupt.abort()
  const { code, results } = await running
  expect(results.find((line) => line.phase === 'run')).toMatchObject({ outcome: 'interrupted', errorCount: 0 })
  expect(code).toBe(130)
})

test('nothing answers: a sentence that says what to do', async () => {
  const server = await respTestServer()
  await server.close()
  const { code, notes } = await runForTest(server.port, [])
  expect(notes).toContain(`nothing answers at 127.0.0.1:${server.port} (ECONNREFUSED): start a node`)
  expect(code).toBe(3)
})

test('the wrong protocol: a sentence that says so', async () => {
  await using http = await httpTestServer()
  const resp = await runForTest(http.port, [])
  expect(resp.notes).toContain('does not speak resp')
  expect(resp.code).toBe(3)
  await using redis = await respTestServer()
  const web = await runForTest(redis.port, ['--protocol', 'http', '--timeout', '500ms'])
  expect(web.notes).toMatch(/does not speak http|did not answer|closed the connection/)
  expect(web.code).toBe(3)
})

test('a server that wants a password: a sentence that says so', async () => {
  const server = createServer((socket) =>
    socket.on('data', () => socket.write('-NOAUTH Authentication required.\r\n')).on('error', () => {}),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { notes, code } = await runForTest((server.address() as { port: number }).port, [])
  await new Promise((resolve) => server.close(resolve))
  expect(notes).toContain('NOAUTH Authentication required. (pass --password or set CASKADE_PASSWORD)')
  expect(code).toBe(3)
})

test('--fail-if: exit code 1 and the condition by name', async () => {
  await using server = await respTestServer()
  const argv = ['--records', 50, '--operations', 200, '-c', 2, '--fail-if', 'p99>1ns', '--fail-if', 'errors>0']
  const { code, notes } = await runForTest(server.port, argv)
  expect(notes).toMatch(/^failed: p99>1ns: p99 is [\d.]+ (us|ms)$/)
  expect(code).toBe(1)
})
