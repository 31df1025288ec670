import { type BitcaskFigures, type BitcaskRequest, runBitcaskPhase } from './bitcask-run.js'

export type BitcaskMessage = { figures: BitcaskFigures } | { failed: string }

const tell = (message: BitcaskMessage) =>
  new Promise<void>((resolve, reject) =>
    process.send!(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  )

try {
  await tell({ figures: await runBitcaskPhase(JSON.parse(process.argv[2]!) as BitcaskRequest) })
} catch (error) {
  await tell({ failed: String((error as Error).stack ?? error) })
}
// What is not closed by now is left as a crash leaves it.
process.kill(process.pid, 'SIGKILL')
