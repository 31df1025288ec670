import { expect, test } from 'vitest'
import { epochOfActor } from '../causality/actor.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'
import { MintingEpoch } from './minting-epoch.js'

/** The epoch that a node mints under after this open. */
function open(store: ModelReplicaStore): number {
  const epoch = new MintingEpoch(store, 1)
  store.sync()
  return epochOfActor(epoch.actor)
}

test('an open that may have lost writes raises it, though nothing is minted before the next, orderly one', () => {
  const store = new ModelReplicaStore()
  const epoch = new MintingEpoch(store, 1)
  epoch.ensure()
  store.sync()
  const before = epochOfActor(epoch.actor)
  store.restart()
  expect(open(store)).toBe(before)
  store.crash()
  const after = open(store)
  expect(after).toBeGreaterThan(before)
  store.restart()
  expect(open(store)).toBe(after)
})

test('without room a node opens, and does not mint', () => {
  const store = new ModelReplicaStore()
  new MintingEpoch(store, 1).ensure()
  store.sync()
  store.crash()
  store.full = true
  const epoch = new MintingEpoch(store, 1)
  expect(() => epoch.ensure()).toThrow('no room')
  store.full = false
  const before = epoch.actor
  epoch.ensure()
  expect(epoch.actor).toBeGreaterThan(before)
})
