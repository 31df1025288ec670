import type { LatencyDistribution } from './latency-recorder.js'

/**
 * Files for HdrHistogram's plotter, latency in milliseconds: `path` for all operations together and, when there are several kinds,
 * one more for each (`run.hgrm`, `run-read.hgrm`, …).
 */
export function hgrmFiles(path: string, latencies: ReadonlyMap<string, LatencyDistribution>): Map<string, string> {
  const files = new Map<string, string>()
  const dot = path.lastIndexOf('.')
  const [stem, extension] = dot > path.lastIndexOf('/') ? [path.slice(0, dot), path.slice(dot)] : [path, '']
  for (const [name, latency] of latencies) {
    if (name === 'all') files.set(path, latency.percentileText())
    else if (latencies.size > 2) files.set(`${stem}-${name}${extension}`, latency.percentileText())
  }
  return files
}
