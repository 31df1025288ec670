import type { Bucket, Member, Topology } from '../coordination/topology.js'
import type { MemberNumber, NodeId } from '../node/identity.js'
import { membersMax } from './quorum.js'

/** Who takes part in the requests of one partition, as quorum counting wants it. Shared by all requests: never changed. */
export interface Route {
  readonly partition: number
  /** The epoch in which these owners came into force: two nodes that agree on it agree on the owners. */
  readonly since: number
  readonly n: number
  /** All owners, old ones first. A mask has bit i for `members[i]`. */
  readonly members: readonly MemberNumber[]
  /** The mask of them all. */
  readonly everyone: number
  /** A read needs its r in each of these sets, a write its w. While the partition moves, writes have two. */
  readonly readSets: readonly number[]
  readonly writeSets: readonly number[]
  /** Owners in a read set: those that have the whole partition, so that they may mint. */
  readonly minters: number
  /** Who keeps hints when owners are away, in order. */
  readonly fallbacks: readonly MemberNumber[]
}

/** One topology, indexed for the hot path. Built once per epoch: O(members + partitions used). */
export class RoutingTable {
  readonly topology: Topology
  readonly #members = new Map<MemberNumber, Member>()
  readonly #byId = new Map<NodeId, Member>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #bucketNumbers: (Bucket | undefined)[] = []
  /** By n, then by partition; made when first asked for. */
  readonly #routes: (Route | undefined)[][] = []
  readonly #newOnly: boolean

  /** `newOwnersOnly` is a deliberate bug: see `deliberateBugs`. */
  constructor(topology: Topology, newOwnersOnly = false) {
    this.topology = topology
    this.#newOnly = newOwnersOnly
    for (const member of topology.members) {
      this.#members.set(member.number, member)
      if (member.state !== 'removed') this.#byId.set(member.id, member)
    }
    for (const bucket of topology.buckets) {
      this.#buckets.set(bucket.name, bucket)
      this.#bucketNumbers[bucket.number] = bucket
    }
  }

  get epoch(): number {
    return this.topology.epoch
  }

  member(number: MemberNumber): Member | undefined {
    return this.#members.get(number)
  }

  /** The present life of a node. */
  memberOf(id: NodeId): Member | undefined {
    return this.#byId.get(id)
  }

  bucket(name: string): Bucket | undefined {
    return this.#buckets.get(name)
  }

  bucketNumbered(number: number): Bucket | undefined {
    return this.#bucketNumbers[number]
  }

  route(partition: number, n: number): Route {
    let routes = this.#routes[n]
    if (routes === undefined) {
      routes = []
      this.#routes[n] = routes
    }
    let route = routes[partition]
    if (route === undefined) {
      route = routeOf(this.topology, partition, n, this.#newOnly)
      routes[partition] = route
    }
    return route
  }
}

function routeOf(topology: Topology, partition: number, n: number, newOnly: boolean): Route {
  const now = (topology.claim[partition] ?? []).slice(0, n)
  const move = topology.moves.find((each) => each.partition === partition)
  const next = move?.to.slice(0, n)
  const members = [...new Set([...now, ...(next ?? [])])]
  if (members.length > membersMax)
    throw new RangeError(`partition ${partition} has ${members.length} owners, at most ${membersMax} are possible`)
  const mask = (owners: readonly MemberNumber[]) => owners.reduce((set, each) => set | (1 << members.indexOf(each)), 0)
  const writeSets = next === undefined ? [mask(now)] : newOnly ? [mask(next)] : [mask(now), mask(next)]
  const readSets = [mask(move?.phase === 'readNew' ? next! : now)]
  return {
    partition,
    since: topology.changedAt?.[partition] ?? 1,
    n: now.length,
    members,
    everyone: 2 ** members.length - 1,
    readSets,
    writeSets,
    minters: readSets[0]!,
    fallbacks: fallbacksOf(topology, partition, members),
  }
}

/** The other members that are up, each partition beginning with another one, so that no node keeps the hints of all. */
function fallbacksOf(topology: Topology, partition: number, owners: readonly MemberNumber[]): MemberNumber[] {
  const others = topology.members
    .filter(({ number, state }) => state === 'up' && !owners.includes(number))
    .map(({ number }) => number)
    .toSorted((a, b) => a - b)
  const first = others.length === 0 ? 0 : partition % others.length
  return [...others.slice(first), ...others.slice(0, first)]
}
