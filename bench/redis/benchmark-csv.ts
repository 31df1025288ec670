/** One line of `redis-benchmark --csv`. */
export interface BenchmarkResult {
  opsPerSec: number
  p50Us: number
  p99Us: number
  maxUs: number
}

/** Results by test name, in lower case, such as `set`. Throws when the text is not such a report. */
export function parseBenchmarkCsv(text: string): Map<string, BenchmarkResult> {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('"'))
    .map((line) => line.split('","').map((cell) => cell.replaceAll('"', '')))
  const [header, ...records] = rows
  if (header === undefined) throw new Error(`redis-benchmark printed no table:\n${text}`)
  const column = (name: string) => {
    const index = header.indexOf(name)
    if (index === -1) throw new Error(`redis-benchmark printed no column ${name}: ${header.join(', ')}`)
    return index
  }
  const [test, rps, p50, p99, max] = ['test', 'rps', 'p50_latency_ms', 'p99_latency_ms', 'max_latency_ms'].map(column)
  return new Map(
    records.map((record) => [
      record[test!]!.toLowerCase(),
      {
        opsPerSec: Number(record[rps!]),
        p50Us: Math.round(Number(record[p50!]) * 1000),
        p99Us: Math.round(Number(record[p99!]) * 1000),
        maxUs: Math.round(Number(record[max!]) * 1000),
      },
    ]),
  )
}
