import { buildFilter, filterMayContain, filterProbes } from './bloom-filter.js'

const count = 100_000
const bitsPerKey = 10
const hashes = Uint32Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 0)
const absent = Uint32Array.from(hashes, (hash) => (hash ^ 0x55555555) >>> 0)
const filter = buildFilter(hashes, count, bitsPerKey)
const probes = filterProbes(bitsPerKey)

function probeEachOf(asked: Uint32Array): () => boolean {
  let i = 0
  return () => filterMayContain(filter, probes, asked[i++ % count]!)
}

export const cases = {
  'bloom present': () => probeEachOf(hashes),
  'bloom absent': () => probeEachOf(absent),
  'bloom build 1000 keys': () => () => buildFilter(hashes, 1000, bitsPerKey),
}
