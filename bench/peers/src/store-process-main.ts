import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerStore } from './peer-store.js'
import { Records } from './records.js'
import type { PhaseMessage, PhaseRequest } from './store-process.js'
import { peers } from './stores/all-peers.js'
import { checkSample, put, putBatch, reads } from './workloads.js'

const tell = (message: PhaseMessage) =>
  new Promise<void>((resolve, reject) =>
    process.send!(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  )

/** Bytes that the files occupy, which is less than their length where they are sparse. */
function diskBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0)
}

async function work({ subject, phase, directory, keys }: PhaseRequest): Promise<void> {
  const records = new Records(keys)
  const rssBefore = process.memoryUsage.rss()
  const openedAt = performance.now()
  let store: PeerStore
  try {
    store = await peers[subject]!.open(directory)
  } catch (error) {
    return tell({ unavailable: (error as Error).message.split('\n', 1)[0]! })
  }
  const measure = (figures: object) => tell({ measurement: { subject, ...figures } as never })
  if (phase === 'fill') {
    await measure(await put(store, records))
    await tell({ finished: true })
    process.kill(process.pid, 'SIGKILL')
  }
  if (phase === 'fill-batch') await measure(await putBatch(store, records))
  if (phase === 'read') {
    await checkSample(store, records)
    await measure({ bench: 'reopen', n: keys, maxUs: Math.round((performance.now() - openedAt) * 1000) })
    await store.settle()
    for await (const figures of reads(store, records)) await measure(figures)
    await measure({ bench: 'memory', n: keys, rssBytes: process.memoryUsage.rss() - rssBefore })
    await measure({ bench: 'disk', n: keys, diskBytes: diskBytes(directory) })
  }
  await store.close()
  await tell({ finished: true })
}

const request = JSON.parse(process.argv[2]!) as PhaseRequest
try {
  await work(request)
} catch (error) {
  await tell({ failed: String((error as Error).stack ?? error) })
}
process.disconnect()
