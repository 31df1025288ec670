import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LatencyRecorder } from './latency-recorder.js'
import { hgrmFiles } from './report-hgrm.js'
import { runAsTyped, runForTest } from './test-run.js'
import { respTestServer } from './test-servers.js'

const directory = mkdtempSync(join(tmpdir(), 'loadgen-'))
const html = join(directory, 'run.html')
const hgrm = join(directory, 'run.hgrm')

beforeAll(async () => {
  await using server = await respTestServer()
  const subject = '</script><b>evil & co</b>'
  const argv = [
    '-w',
    'a',
    '--records',
    50,
    '--operations',
    2000,
    '-c',
    2,
    '--html',
    html,
    '--hgrm',
    hgrm,
    '--subject',
    subject,
  ]
  expect((await runForTest(server.port, argv)).code).toBe(0)
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Rows of a file that HdrHistogram's plotter reads: value, percentile, total count, 1/(1-percentile). */
function rowsOf(text: string): number[][] {
  const lines = text.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/)
  expect(lines.at(-3)).toMatch(/^#\[Mean +=.*StdDeviation/)
  expect(lines.at(-2)).toMatch(/^#\[Max +=.*Total count +=/)
  expect(lines.at(-1)).toMatch(/^#\[Buckets +=.*SubBuckets/)
  return lines.filter((line) => /^ *\d/.test(line)).map((line) => line.trim().split(/ +/).map(Number))
}

test('.hgrm: values and counts never fall, the last row is everything', () => {
  const rows = rowsOf(readFileSync(hgrm, 'utf8'))
  for (const [i, row] of rows.entries()) {
    expect(row.every((cell) => Number.isFinite(cell))).toBe(true)
    for (const column of [0, 1, 2]) expect(row[column]).toBeGreaterThanOrEqual(rows[i - 1]?.[column] ?? 0)
  }
  expect(rows.at(-1)!.slice(1, 3)).toEqual([1, 2000])
  const kinds = ['read', 'update'].map(
    (kind) => rowsOf(readFileSync(join(directory, `run-${kind}.hgrm`), 'utf8')).at(-1)![2]!,
  )
  expect(kinds[0]! + kinds[1]!).toBe(2000)
})

test('.hgrm: milliseconds with their zeros', () => {
  const recorder = new LatencyRecorder()
  for (let i = 0; i < 1000; i++) recorder.record(0, 1.005, false)
  recorder.tick()
  const text = hgrmFiles('x', recorder.latencies()).get('x')!
  recorder.close()
  expect(rowsOf(text)[0]![0]).toBeCloseTo(1.005, 2)
})

test('percentiles are those of what was recorded, and the warm-up is not in them', () => {
  const recorder = new LatencyRecorder()
  for (let i = 1; i <= 10_000; i++) {
    recorder.record(0, i / 100, false)
    recorder.record(0, 5000, true)
    if (i === 5000) expect(recorder.tick().count).toBe(10_000)
  }
  recorder.tick()
  const all = recorder.latencies().get('all')!
  expect(all.count).toBe(10_000)
  for (const [percentile, us] of [
    [50, 50_000],
    [99, 99_000],
    [99.99, 99_990],
  ] as const) {
    expect(Math.abs(all.percentileUs(percentile) / us - 1)).toBeLessThan(0.001)
  }
  expect(Math.abs(all.maxUs / 100_000 - 1)).toBeLessThan(0.001)
  recorder.close()
})

test('the HTML report loads nothing', () => {
  const text = readFileSync(html, 'utf8')
  expect(text).not.toMatch(/\s(src|href|action|srcset|poster)\s*=\s*["']?\s*[a-z/]/i)
  expect(text).not.toMatch(/@import|url\(|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(/)
  expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`)
  expect(text).toContain('uPlot')
})

test('the HTML report escapes what it is told, and its data can be read', () => {
  const text = readFileSync(html, 'utf8')
  expect(text).toContain('&lt;/script&gt;&lt;b&gt;evil &amp; co&lt;/b&gt;')
  expect(text).not.toContain('<b>evil')
  const data = /<script type="application\/json" id="report">(.*?)<\/script>/.exec(text)![1]!
  const [run, load] = JSON.parse(data)
  expect(Object.keys(run.curves)).toEqual(['all', 'read', 'update'])
  expect(run.curves.all[0][0]).toBe(0)
  expect(Object.keys(load.curves)).toEqual(['all', 'insert'])
})

test('the text report: a line per second, a table, and what the reader must know', async () => {
  await using server = await respTestServer()
  const argv = [
    '-w',
    'a',
    '--records',
    20,
    '--value-bytes',
    60,
    '-c',
    2,
    '--rate',
    500,
    '--duration',
    '1s',
    '--warmup',
    '1s',
    '--verify',
  ]
  const { out, code } = await runAsTyped(server.port, argv)
  expect(out).toMatch(
    /^ +\d\.\d s +[\d,]+ ops\/s {3}p50 +[\d.]+ (us|ms) {3}p99 +[\d.]+ (us|ms) {3}0 errors {3}warm-up, not in the report$/m,
  )
  expect(out).toMatch(/^ycsb-a run on resp:\/\/127\.0\.0\.1:\d+: 500 operations in [\d.]+ s, [\d,]+ ops\/s$/m)
  expect(out).toMatch(/^ +count +p50 +p90 +p99 +p99\.9 +p99\.99 +max$/m)
  expect(out).toMatch(/^update +\d+( +[\d.]+ (us|ms|s)){6}$/m)
  expect(out).toMatch(/^verified \d+ values, all right$/m)
  expect(out).toMatch(/^[\d,]+ operations began more than 1 ms after they were due/m)
  expect(code).toBe(0)
})

test('the text report: reads that find nothing, and errors with their first message', async () => {
  await using server = await respTestServer()
  server.refusal = 'OOM no room'
  const { out } = await runAsTyped(server.port, [
    '--phase',
    'run',
    '-w',
    'a',
    '-c',
    2,
    '--operations',
    200,
    '--warmup',
    0,
    '--quiet',
  ])
  expect(out).toMatch(/^\d+ reads found no record: was the load phase run/m)
  expect(out).toMatch(/^error -OOM: \d+ \(first: OOM no room\)$/m)
})
