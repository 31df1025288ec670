import type { Measurement } from './measurement.js'
import { OperationTimer } from './operation-timer.js'

export type Figures = Omit<Measurement, 'subject'>

/** Runs a workload of `n` operations and takes its figures. The processor time is that of all threads of the process. */
export async function measured(
  bench: string,
  n: number,
  run: (timer: OperationTimer) => Promise<void>,
): Promise<Figures> {
  const timer = new OperationTimer()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await run(timer)
  timer.mark()
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    bench,
    n,
    opsPerSec: Math.round(n / seconds),
    ...timer.latencies(),
    cpuUsPerOp: Number(((user + system) / n).toFixed(3)),
    rssBytes: process.memoryUsage.rss(),
  }
}

/** For operations that are done many at once: they have no latency of their own. */
export function withoutLatencies({
  p50Us: _p50,
  p99Us: _p99,
  p999Us: _p999,
  maxUs: _max,
  ...figures
}: Figures): Figures {
  return figures
}
