import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runForTest } from './test-run.js'
import { httpTestServer, type Lie, respTestServer } from './test-servers.js'

const directory = mkdtempSync(join(tmpdir(), 'loadgen-'))
afterAll(() => rmSync(directory, { recursive: true }))

const small = ['--records', 200, '--operations', 4000, '--connections', 4, '--value-bytes', 80, '--verify']
const protocols = [
  ['resp', respTestServer],
  ['http', httpTestServer],
] as const

describe.each(protocols)('over %s', (protocol, startServer) => {
  test.each(['a', 'd', 'f', 'mix-70-30'])('workload %s on an honest server: everything is right', async (workload) => {
    await using server = await startServer()
    // Over HTTP a server may work on pipelined requests at once: a read could miss the insert before it.
    const pipeline = protocol === 'resp' ? 4 : 1
    const { code, results } = await runForTest(server.port, [
      '--protocol',
      protocol,
      '-w',
      workload,
      '-P',
      pipeline,
      ...small,
    ])
    const run = results.find((line) => line.phase === 'run' && line.operation === undefined)!
    expect(run).toMatchObject({ n: 4000, errorCount: 0, violationCount: 0, absent: 0, outcome: 'complete' })
    expect(run.verified).toBeGreaterThan(1000)
    expect(code).toBe(0)
  })

  test('batched reads are checked key by key', async () => {
    await using server = await startServer()
    const { code, results } = await runForTest(server.port, [
      '--protocol',
      protocol,
      '-w',
      'a',
      '--read-batch',
      8,
      ...small,
    ])
    expect(results.find((line) => line.phase === 'run')!.verified).toBeGreaterThan(8 * 1500)
    expect(code).toBe(0)
  })

  /** Each lie is told once in a while, so that everything else stays right. */
  const lies: [violation: string, lie: (store: Map<string, Buffer>) => Lie][] = [
    ['corrupt', () => (_key, truth) => (truth === undefined ? undefined : Buffer.from(truth).fill('x', 60, 61))],
    ['lost', () => () => undefined],
    ['wrong-key', (store) => (key) => [...store].find(([other]) => other !== key)![1]],
    [
      'stale',
      (store) => {
        const old = new Map(store)
        return (key, truth) => old.get(key) ?? truth
      },
    ],
  ]
  test.each(lies)('%s answers are caught, and called that', async (violation, lieAbout) => {
    await using server = await startServer()
    const state = join(directory, `${protocol}-${violation}.state`)
    const load = await runForTest(server.port, ['--protocol', protocol, '--phase', 'load', '--state', state, ...small])
    expect(load.code).toBe(0)
    let asked = 0
    const lie = lieAbout(server.store)
    server.lie = (key, truth) => (asked++ % 7 === 0 ? lie(key, truth) : truth)
    // 'a' without skew: what is stale needs a record that was overwritten since the load.
    const run = await runForTest(server.port, [
      '--protocol',
      protocol,
      '--phase',
      'run',
      '--state',
      state,
      '-w',
      'a',
      ...small,
    ])
    const { violations, violationCount } = run.results[0]!
    expect(violations[violation]).toBeGreaterThan(50)
    expect(violationCount).toBe(violations[violation])
    expect(run.code).toBe(1)
  })
})

test('a scan over HTTP is checked against the keys that come with it', async () => {
  await using server = await httpTestServer()
  const argv = [
    '--protocol',
    'http',
    '-w',
    'e',
    '--records',
    300,
    '--operations',
    300,
    '-c',
    3,
    '--value-bytes',
    60,
    '--verify',
  ]
  const honest = await runForTest(server.port, argv)
  expect(honest.code).toBe(0)
  const run = honest.results.find((line) => line.phase === 'run')!
  expect(run.verified).toBeGreaterThan(300)
  server.hidden = true
  const empty = await runForTest(server.port, argv)
  expect(empty.results.find((line) => line.phase === 'run')!.violations.lost).toBeGreaterThan(200)
  server.hidden = false
  const [first, second] = server.store.keys()
  const swapped = server.store.get(first!)!
  server.lie = (key, truth) => (key === second ? swapped : truth)
  const lying = await runForTest(server.port, argv)
  expect(lying.results.find((line) => line.phase === 'run')!.violations['wrong-key']).toBeGreaterThan(0)
  expect(lying.code).toBe(1)
})

test('after a restart --verify-only finds what was lost, and only that', async () => {
  const state = join(directory, 'restart.state')
  const store = new Map<string, Buffer>()
  const before = await respTestServer(0, store)
  await runForTest(before.port, ['-w', 'd', '--state', state, ...small])
  await before.close()
  const snapshot = new Map(store)

  await using whole = await respTestServer(0, snapshot)
  const kept = await runForTest(whole.port, ['--verify-only', '--state', state, '-c', 3])
  expect(kept.results[0]).toMatchObject({ phase: 'verify', n: kept.results[0]!.verified, violationCount: 0 })
  expect(kept.results[0]!.n).toBeGreaterThanOrEqual(snapshot.size)
  expect(kept.code).toBe(0)

  const lost = [...snapshot.keys()].slice(0, 3)
  for (const key of lost) snapshot.delete(key)
  const damaged = await runForTest(whole.port, ['--verify-only', '--state', state, '-c', 3])
  expect(damaged.results[0]!.violations).toMatchObject({ lost: 3, corrupt: 0, stale: 0 })
  expect(damaged.code).toBe(1)
})

test('refused writes are errors, not acknowledged values', async () => {
  await using server = await respTestServer()
  const state = join(directory, 'refused.state')
  await runForTest(server.port, ['--phase', 'load', '--state', state, ...small])
  server.refusal = 'OOM no room'
  const run = await runForTest(server.port, ['--phase', 'run', '-w', 'a', '--state', state, ...small])
  const [all] = run.results
  expect(Object.keys(all!.errors)).toEqual(['-OOM'])
  expect(all!.errorCount).toBeGreaterThan(1500)
  expect(all!.n + all!.errorCount).toBe(4000)
  expect(all!.violationCount).toBe(0)
})
