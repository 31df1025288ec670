import { diskBytes } from './disk-bytes.js'
import { mix } from './mix-workload.js'
import { checkSample, readOne, reads } from './read-workloads.js'
import { Records } from './records.js'
import { residentBytes } from './resident-bytes.js'
import type { PhaseMessage, PhaseRequest } from './store-process.js'
import { peers } from './stores/all-peers.js'
import { overwrite, put, putBatch, putSync } from './write-workloads.js'

const tell = (message: PhaseMessage) =>
  new Promise<void>((resolve, reject) =>
    process.send!(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  )

/** The store, or `undefined` after saying that there is none on this machine. */
async function opened<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open()
  } catch (error) {
    await tell({ unavailable: (error as Error).message.split('\n', 1)[0]! })
    return undefined
  }
}

async function work({ subject, phase, directory, keys, valueBytes }: PhaseRequest): Promise<void> {
  const peer = peers[subject]!
  const records = new Records(keys, valueBytes)
  const measure = (figures: object) => tell({ measurement: { subject, ...figures } as never })
  if (phase === 'fill-sync') {
    const store = await opened(() => peer.openDurable!(directory))
    if (store === undefined) return
    await measure(await putSync(store, records))
    await store.close()
    return tell({ finished: true })
  }
  const before = residentBytes()
  const openedAt = performance.now()
  const store = await opened(() => peer.open(directory))
  if (store === undefined) return
  if (phase === 'fill') {
    await measure(await put(store, records))
    await tell({ finished: true })
    process.kill(process.pid, 'SIGKILL')
  }
  if (phase === 'fill-batch') await measure(await putBatch(store, records))
  if (phase === 'read') {
    await readOne(store, records.key(keys - 1))
    await measure({ bench: 'reopen', n: keys, maxUs: Math.round((performance.now() - openedAt) * 1000) })
    await checkSample(store, records)
    await store.settle()
    for await (const figures of reads(store, records)) await measure(figures)
    const { rss, anonymous } = residentBytes()
    const grown = { rssBytes: rss - before.rss, anonymousBytes: anonymous - before.anonymous }
    await measure({ bench: 'memory', n: keys, ...grown })
    await measure({ bench: 'disk', n: keys, diskBytes: diskBytes(directory) })
  }
  if (phase === 'change') {
    await measure(await overwrite(store, records))
    await measure(await mix(store, records))
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
