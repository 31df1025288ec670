import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../node.test-fixture.js'
import { caskade, startCaskade, startServer } from './cli.test-fixture.js'

const count = 20_000
// Every hundredth line repeats the key of its hundred: the later one must win, whatever is under way at once.
const key = (i: number) => `k/${String(i % 100 === 99 ? i - 99 : i).padStart(6, '0')}`
const lines = Array.from(
  { length: count },
  (_, i) => `{"key": "${key(i)}", "value": {"n": ${i}, "pad": "${'x'.repeat(200)}"}}\n`,
)
const last = new Map(lines.map((line, i) => [key(i), line]))
const expected = [...last.keys()]
  .sort()
  .map((name) => last.get(name))
  .join('')

/** Kills `victim` once the node has about `writes` writes. */
async function killAt(url: string, writes: number, victim: { kill(signal: 'SIGKILL'): boolean }): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/api/v1/status`)
    if (((await response.json()) as { store: { sequence: number } }).store.sequence >= writes) break
  }
  victim.kill('SIGKILL')
}

test('an import whose importer or node is killed resumes, and ends with exactly the right data', async () => {
  const directory = await temporaryDirectory()
  const file = join(directory, 'in.ndjson')
  const data = join(directory, 'data')
  await writeFile(file, lines.join(''))
  // Small batches: slow enough to be killed in the middle.
  const slowly = ['import', file, '--batch-records', '4', '--in-flight', '3', '--url']

  const first = await startServer(data)
  const importer = startCaskade([...slowly, first.url])
  await killAt(first.url, 1000, importer.child)
  expect((await importer.ended).code).toBe(null)

  const second = startCaskade([...slowly, first.url])
  await killAt(first.url, 4000, first.child)
  const cut = await second.ended
  expect(cut.err).toMatch(/^resuming in\.ndjson after [\d,]+ lines\n/)
  expect([cut.code, cut.err]).toEqual([3, expect.stringContaining('run the same command again to go on from there')])

  const again = await startServer(data)
  const finished = await caskade(['import', file, '--url', again.url, '-o', 'json'])
  expect(finished.code).toBe(0)
  const { records, resumedAfter } = JSON.parse(finished.out) as { records: number; resumedAfter: number }
  expect(resumedAfter).toBeGreaterThan(1000)
  expect(records + resumedAfter).toBe(count)
  expect((await again.caskade('export')).out).toBe(expected)

  // Done means done: a new run starts from the beginning, and changes nothing.
  const repeated = await again.caskade('import', file, '-o', 'json')
  expect(JSON.parse(repeated.out)).toMatchObject({ records: count, resumedAfter: 0 })
  expect((await again.caskade('export')).out).toBe(expected)
})
