import { parentPort, workerData } from 'node:worker_threads'
import { runSeed, type SeedRunOptions } from './seed-run.js'

/** Runs the seeds it is told, one after another; each message asks for one more. */
const options = workerData as SeedRunOptions

parentPort!.on('message', async (seed: number) => {
  parentPort!.postMessage(await runSeed(seed, options))
})
