import { expect, test } from 'vitest'
import { compare } from './measurement.js'

const ours = (subject: string) => subject.startsWith('caskade-')

test('the best peer is the fastest, the smallest or the quickest to open', () => {
  const measurements = [
    { bench: 'put', subject: 'caskade-lsm', n: 1, opsPerSec: 900 },
    { bench: 'put', subject: 'lmdb', n: 1, opsPerSec: 100 },
    { bench: 'put', subject: 'sqlite', n: 1, opsPerSec: 300 },
    { bench: 'disk', subject: 'caskade-lsm', n: 1, diskBytes: 120 },
    { bench: 'disk', subject: 'lmdb', n: 1, diskBytes: 100 },
    { bench: 'disk', subject: 'sqlite', n: 1, diskBytes: 200 },
    { bench: 'reopen', subject: 'caskade-lsm', n: 1, maxUs: 50 },
    { bench: 'reopen', subject: 'sqlite', n: 1, maxUs: 100 },
    { bench: 'get-borrowed', subject: 'caskade-lsm', n: 1, opsPerSec: 5 },
  ]
  expect(compare(measurements, ours)).toEqual([
    { bench: 'put', subject: 'caskade-lsm', bestPeer: 'sqlite', ratio: 3 },
    { bench: 'disk', subject: 'caskade-lsm', bestPeer: 'lmdb', ratio: 0.833 },
    { bench: 'reopen', subject: 'caskade-lsm', bestPeer: 'sqlite', ratio: 2 },
  ])
})
