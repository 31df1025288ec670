import { expect, test } from 'vitest'
import { parseBenchmarkCsv } from './benchmark-csv.js'

// As printed by redis-benchmark 7.0.15.
const report = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","125000.00","0.257","0.064","0.255","0.351","0.399","1.175"
"GET","142857.14","0.207","0.064","0.207","0.287","0.311","0.487"
`

test('each test by name', () => {
  const results = parseBenchmarkCsv(report)
  expect([...results.keys()]).toEqual(['set', 'get'])
  expect(results.get('set')).toEqual({ opsPerSec: 125_000, p50Us: 255, p99Us: 399, maxUs: 1175 })
})

test('another text is refused', () => {
  expect(() => parseBenchmarkCsv('Could not connect')).toThrow('no table')
  expect(() => parseBenchmarkCsv('"test","rps"\n"SET","1"')).toThrow('no column p50_latency_ms')
})
