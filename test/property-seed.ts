import fc from 'fast-check'

/**
 * Property tests draw the same cases on every run, so a red run is about the change and not about luck. New cases are
 * looked for on purpose: `CASKADE_TEST_SEED=random`, or a number. A failing property prints its seed and path.
 */
const seed = process.env.CASKADE_TEST_SEED ?? '20260101'
if (seed !== 'random') {
  if (!/^-?\d{1,10}$/.test(seed))
    throw new Error(`CASKADE_TEST_SEED is an integer or "random", not ${JSON.stringify(seed)}`)
  fc.configureGlobal({ seed: Number(seed) })
}
