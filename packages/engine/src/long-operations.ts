import type { AbortOptions } from './store.js'

/** Operations that take a while and that a store ends when it is closed. */
export class LongOperations {
  readonly #running = new Map<Promise<unknown>, AbortController>()

  /** The operation is told by its signal when the caller has aborted, or the store is closing; it must then undo what it did. */
  run<T>(options: AbortOptions | undefined, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const caller = checkedSignal(options)
    if (caller?.aborted) return Promise.reject(caller.reason)
    const controller = new AbortController()
    const onAbort = () => controller.abort(caller?.reason)
    caller?.addEventListener('abort', onAbort)
    const running = operation(controller.signal).finally(() => {
      caller?.removeEventListener('abort', onAbort)
      this.#running.delete(running)
    })
    this.#running.set(running, controller)
    return running
  }

  /** Resolves when none runs any more. */
  async stop(reason: unknown): Promise<void> {
    for (const controller of this.#running.values()) controller.abort(reason)
    await Promise.allSettled(this.#running.keys())
  }
}

/** As the promise, or rejects with the signal's reason as soon as there is one; what was begun goes on by itself. */
export async function abortable<T>(promise: Promise<T>, options: AbortOptions | undefined): Promise<T> {
  const signal = checkedSignal(options)
  if (signal === undefined) return promise
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Whoever aborts asks for no more news of it.
    promise.catch(() => {})
  }
}

export function checkedSignal(options: AbortOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`signal is an AbortSignal, not ${signal === null ? 'null' : typeof signal}`)
  return signal
}

/** Lets the event loop turn. */
export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
