import { expect, test } from 'vitest'
import { SeededRandom } from '../seeded-random.js'
import { EventQueue } from './event-queue.js'

test('happenings come in order of their moment, then of their arrival', () => {
  const random = new SeededRandom(3)
  const queue = new EventQueue()
  const added: { atMs: number; order: number }[] = []
  const taken: { atMs: number; order: number }[] = []
  for (let order = 0; order < 2000; order++) {
    const entry = { atMs: random.between(0, 50), order }
    added.push(entry)
    queue.add(entry.atMs, () => taken.push(entry))
  }
  while (queue.size > 0) {
    const { nextAtMs } = queue
    queue.take()()
    expect(taken.at(-1)!.atMs).toBe(nextAtMs)
  }
  expect(taken).toEqual(added.sort((a, b) => a.atMs - b.atMs || a.order - b.order))
  expect(queue.nextAtMs).toBe(Number.POSITIVE_INFINITY)
})
