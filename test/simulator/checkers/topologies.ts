import type { Checker, TopologySighting, Violation } from '../history.js'

/** An epoch names one topology, whoever has heard of it. */
export const topologies: Checker = (history) => {
  const violations: Violation[] = []
  const epochs = new Map<number, TopologySighting>()
  for (const sighting of history.topologies) {
    const first = epochs.get(sighting.epoch)
    if (first === undefined) epochs.set(sighting.epoch, sighting)
    else if (first.digest !== sighting.digest)
      violations.push({
        checker: 'topologies',
        message: `two topologies of epoch ${sighting.epoch}: ${first.digest} at node ${first.node}, ${sighting.digest} at node ${sighting.node}`,
        operations: [],
      })
  }
  return { violations }
}
