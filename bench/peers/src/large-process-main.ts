import type { OpenOptions } from '@caskade/engine'
import type { LargeMessage, LargeRequest } from './large-process.js'
import { load, reopenAndRead } from './large-run.js'

const tell = (message: LargeMessage) =>
  new Promise<void>((resolve, reject) =>
    process.send!(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  )

async function work({ phase, store, directory, keys }: LargeRequest): Promise<void> {
  const options = { store } as OpenOptions
  if (phase === 'load') {
    await tell({ figures: await load(directory, options, keys, (progress) => process.send!({ progress })) })
    await tell({ finished: true })
    process.kill(process.pid, 'SIGKILL')
  }
  for await (const figures of reopenAndRead(directory, options, keys)) await tell({ figures })
  await tell({ finished: true })
}

try {
  await work(JSON.parse(process.argv[2]!) as LargeRequest)
} catch (error) {
  await tell({ failed: String((error as Error).stack ?? error) })
}
process.disconnect()
