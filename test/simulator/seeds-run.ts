import { Worker } from 'node:worker_threads'
import type { SeedRunOptions, SeedSummary } from './seed-run.js'

export interface SeedsReport {
  seeds: number
  violations: number
  failingSeeds: number[]
  /** Faults, frames, operations and events of all runs together. */
  counts: Record<string, number>
}

/** Runs the seeds `[first, last]` on so many threads. `onSeed` hears of each as it ends, in any order. */
export async function seedsRun(
  first: number,
  last: number,
  threads: number,
  options: SeedRunOptions,
  onSeed: (summary: SeedSummary) => void,
): Promise<SeedsReport> {
  const report: SeedsReport = { seeds: 0, violations: 0, failingSeeds: [], counts: {} }
  let next = first
  const work = async () => {
    const worker = new Worker(new URL('./sim-worker.js', import.meta.url), { workerData: options })
    try {
      while (next <= last) {
        const summary = await ask(worker, next++)
        tally(report, summary)
        onSeed(summary)
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, last - first + 1) }, work))
  report.failingSeeds.sort((a, b) => a - b)
  return report
}

function ask(worker: Worker, seed: number): Promise<SeedSummary> {
  return new Promise((resolve, reject) => {
    const died = (error: Error) => reject(new Error(`seed ${seed}: ${error.message}`, { cause: error }))
    worker.once('error', died)
    worker.once('message', (summary: SeedSummary) => {
      worker.off('error', died)
      resolve(summary)
    })
    worker.postMessage(seed)
  })
}

function tally(report: SeedsReport, { seed, violations, counts }: SeedSummary): void {
  report.seeds++
  report.violations += violations.length
  if (violations.length > 0) report.failingSeeds.push(seed)
  for (const [name, count] of Object.entries(counts)) report.counts[name] = (report.counts[name] ?? 0) + count
}
