import { uniformNumbers } from './key-numbers.js'
import { type Figures, measured, withoutLatencies } from './measured.js'
import type { PeerStore } from './peer-store.js'
import type { Records } from './records.js'

const operationsMax = 1_000_000
/** Operations of one round; 7 of 10 are gets. */
const roundOperations = 40
const roundGets = 28

/**
 * 70 % gets and 30 % puts of uniform keys, straight after every key was overwritten, so that compaction is at work. Where gets
 * are promises, the gets of a round are one `getMany`, and its puts are in flight with it.
 */
export async function mix(store: PeerStore, records: Records): Promise<Figures> {
  const n = Math.ceil(Math.min(operationsMax, records.count) / roundOperations) * roundOperations
  const number = uniformNumbers(records.count, 7)
  const { get } = store
  return get === undefined
    ? withoutLatencies(await mixOfRounds(store, records, n, number))
    : mixOneByOne(store, get, records, n, number)
}

type Get = (key: Uint8Array) => Uint8Array | undefined

function mixOneByOne(store: PeerStore, get: Get, records: Records, n: number, number: () => number): Promise<Figures> {
  return measured('mix-70-30', n, async (timer) => {
    let writes: Promise<unknown>[] = []
    for (let i = 0; i < n; i++) {
      const due = timer.due()
      const begun = due ? timer.begin() : 0
      const key = records.key(number())
      // 7 and 10 have no common factor: puts and gets alternate evenly.
      if ((i * 7) % 10 < 7) {
        if (get(key)?.length !== records.valueBytes) throw new Error('mix-70-30: a record is missing')
      } else {
        const written = store.put(key, records.value(i))
        const pause = store.pressure?.()
        if (pause !== undefined) await pause
        if (written !== undefined) writes.push(written)
      }
      if (due) timer.end(begun)
      if (writes.length < roundOperations - roundGets) continue
      await Promise.all(writes)
      writes = []
      timer.mark()
    }
    await Promise.all(writes)
  })
}

function mixOfRounds(store: PeerStore, records: Records, n: number, number: () => number): Promise<Figures> {
  return measured('mix-70-30', n, async () => {
    for (let at = 0; at < n; at += roundOperations) {
      const writes = Array.from({ length: roundOperations - roundGets }, (_, i) =>
        store.put(records.key(number()), records.value(at + i)),
      )
      const values = await store.getMany!(Array.from({ length: roundGets }, () => records.key(number())))
      if (values.some((value) => value?.length !== records.valueBytes))
        throw new Error('mix-70-30: a record is missing')
      await Promise.all(writes)
    }
  })
}
