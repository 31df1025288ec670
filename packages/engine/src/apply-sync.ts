/** Calls the function of an atomic batch, which must be over when it returns: an `async` one would go on outside of the batch. */
export function applySync<T>(apply: () => T): T {
  const result = apply()
  if (!(result instanceof Promise)) return result
  result.catch(() => {})
  throw new TypeError('the function given to atomic() returned a promise: it must be synchronous. Nothing was written')
}
