import { FlightWindow } from './flight-window.js'
import { scattered } from './key-numbers.js'
import { type Figures, measured, withoutLatencies } from './measured.js'
import type { OperationTimer } from './operation-timer.js'
import type { DurablePeerStore, PeerStore } from './peer-store.js'
import type { Records } from './records.js'

/** Records in flight at once, for stores that acknowledge with a promise. */
const inFlightMax = 1000
const batchRecords = 100
const syncWriters = 256
const syncPutsMax = 200_000

/** One put after the other, or a thousand in flight where the store answers with promises. */
async function putAll(
  store: PeerStore,
  n: number,
  key: (i: number) => Buffer,
  value: (i: number) => Buffer,
  timer: OperationTimer,
) {
  const window = new FlightWindow(inFlightMax)
  for (let i = 0; i < n; i++) {
    const due = timer.due()
    const begun = due ? timer.begin() : 0
    const written = store.put(key(i), value(i))
    const pause = store.pressure?.()
    if (pause !== undefined) await pause
    if (written === undefined) {
      if (due) timer.end(begun)
      continue
    }
    const full = window.add(due ? written.then(() => timer.endOfMany(begun)) : written)
    if (full === undefined) continue
    await full
    timer.mark()
  }
  await window.drain()
}

/** Every key once, in random order, one by one. */
export function put(store: PeerStore, records: Records): Promise<Figures> {
  return measured('put', records.count, (timer) =>
    putAll(
      store,
      records.count,
      (i) => records.key(i),
      (i) => records.value(i),
      timer,
    ),
  )
}

/** Every key again, in another order, with another value. */
export function overwrite(store: PeerStore, records: Records): Promise<Figures> {
  return measured('overwrite', records.count, (timer) =>
    putAll(
      store,
      records.count,
      (i) => records.key(scattered(i, records.count)),
      (i) => records.value(i + 1),
      timer,
    ),
  )
}

export async function putBatch(store: PeerStore, records: Records): Promise<Figures> {
  return withoutLatencies(
    await measured('put-batch', records.count, async () => {
      const window = new FlightWindow(inFlightMax / batchRecords)
      for (let at = 0; at < records.count; at += batchRecords) {
        const numbers = Array.from({ length: Math.min(batchRecords, records.count - at) }, (_, i) => at + i)
        const written = store.putBatch(
          numbers.map((i) => records.key(i)),
          numbers.map((i) => records.value(i)),
        )
        const pause = store.pressure?.()
        if (pause !== undefined) await pause
        const full = written === undefined ? undefined : window.add(written)
        if (full !== undefined) await full
      }
      await window.drain()
    }),
  )
}

/** 256 writers, each of which waits until its put would survive a power cut before it makes the next. */
export function putSync(store: DurablePeerStore, records: Records): Promise<Figures> {
  const n = Math.min(records.count, syncPutsMax)
  return measured('put-sync', n, async (timer) => {
    let next = 0
    const writer = async () => {
      while (next < n) {
        const i = next++
        const begun = timer.mark()
        await store.put(records.key(i), records.value(i))
        timer.endOfMany(begun)
        timer.mark()
      }
    }
    await Promise.all(Array.from({ length: syncWriters }, writer))
  })
}
