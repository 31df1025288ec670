import type { Entry, Scan } from './store.js'

/** How many records an asynchronous scan yields before it lets the event loop turn. */
const recordsPerTurn = 256

/** One iterator behind both kinds of iteration. Breaking out of either calls its `return`. */
export function sliceIterator(iterator: Iterator<Entry, undefined>): Scan {
  return {
    [Symbol.iterator]: () => iterator,
    async *[Symbol.asyncIterator]() {
      try {
        for (let left = recordsPerTurn; ; left--) {
          const step = iterator.next()
          if (step.done) return
          yield step.value
          if (left > 0) continue
          left = recordsPerTurn
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        iterator.return?.()
      }
    },
  }
}
