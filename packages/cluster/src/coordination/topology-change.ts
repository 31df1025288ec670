import type { MemberNumber } from '../node/identity.js'
import { alterBucket, type BucketOptions, createBucket } from './bucket-changes.js'
import { type ChangeOutcome, ChangeRefusal } from './change-outcome.js'
import type { NewNode } from './create-topology.js'
import {
  dismiss,
  join,
  leave,
  memberOf,
  promote,
  readdress,
  replace,
  retarget,
  settleVoters,
} from './member-changes.js'
import { type MoveStep, stepMoves } from './move-changes.js'
import type { ChangeId, Settings, Topology } from './topology.js'
import { topologyLimits } from './topology-limits.js'

/** What can be asked of a topology. Plain data. */
export type TopologyChange =
  /** `after`: the newest incarnation of this node that it knows of; another one: refused. Absent: any. */
  | { readonly type: 'join'; readonly node: NewNode; readonly life: string; readonly after?: number }
  | { readonly type: 'leave'; readonly member: MemberNumber }
  /** The member is dead, and does not come back with its data. */
  | { readonly type: 'remove'; readonly member: MemberNumber }
  | { readonly type: 'replace'; readonly member: MemberNumber; readonly node: NewNode; readonly life: string }
  | { readonly type: 'readdress'; readonly member: MemberNumber; readonly address: string }
  | { readonly type: 'createBucket'; readonly name: string; readonly options: BucketOptions }
  | { readonly type: 'alterBucket'; readonly name: string; readonly options: Partial<BucketOptions> }
  | { readonly type: 'setVoters'; readonly voters: readonly MemberNumber[] }
  | { readonly type: 'setSettings'; readonly settings: Partial<Settings> }
  | { readonly type: 'moves'; readonly step: MoveStep; readonly partitions: readonly number[] }

/** The next topology, or why there is none. Pure; cost: that of the claim for members, else O(partitions). */
export function changeTopology(topology: Topology, change: TopologyChange, id: ChangeId): ChangeOutcome {
  if (topology.recentChanges.includes(id)) return { status: 'unchanged' }
  try {
    const changed = apply(topology, change)
    if (changed === topology) return { status: 'unchanged' }
    const promoted = promote(changed)
    const settled = dismiss(change.type === 'setVoters' ? promoted : settleVoters(promoted))
    return {
      status: 'changed',
      topology: {
        ...settled,
        epoch: topology.epoch + 1,
        previousVoters: topology.voters,
        recentChanges: [...topology.recentChanges, id].slice(-topologyLimits.recentChanges),
      },
    }
  } catch (error) {
    if (!(error instanceof ChangeRefusal)) throw error
    return { status: 'refused', code: error.code, message: error.message }
  }
}

function apply(topology: Topology, change: TopologyChange): Topology {
  switch (change.type) {
    case 'join':
      checkNode(change.node, change.life)
      return join(topology, change.node, change.life, change.after)
    case 'leave':
    case 'remove':
      return leave(topology, change.member)
    case 'replace':
      checkNode(change.node, change.life)
      return replace(topology, change.member, change.node, change.life)
    case 'readdress':
      checkLabel('address', change.address)
      return readdress(topology, change.member, change.address)
    case 'createBucket':
      return createBucket(topology, change.name, change.options)
    case 'alterBucket':
      return alterBucket(topology, change.name, change.options)
    case 'setVoters':
      return setVoters(topology, change.voters)
    case 'setSettings':
      return setSettings(topology, change.settings)
    case 'moves':
      return stepMoves(topology, change.step, change.partitions)
  }
}

/** Accepted by majorities of the old and of the new voters, so that any set may follow any other: see coordination.md. */
function setVoters(topology: Topology, wanted: readonly MemberNumber[]): Topology {
  const voters = [...new Set(wanted)].sort((a, b) => a - b)
  if (voters.length < 1 || voters.length > topologyLimits.voters || voters.length !== wanted.length)
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', `1 to ${topologyLimits.voters} different voters, not [${wanted}]`)
  for (const voter of voters)
    if (memberOf(topology, voter).state !== 'up')
      throw new ChangeRefusal('CASKADE_BAD_REQUEST', `member ${voter} is not up: only such may vote`)
  return { ...topology, voters }
}

function setSettings(topology: Topology, change: Partial<Settings>): Topology {
  const settings = { ...topology.settings, ...change }
  const { replicas, movesMax } = settings
  const need = topology.buckets.reduce((most, { n }) => Math.max(most, n), 1)
  if (!(Number.isInteger(replicas) && replicas >= need && replicas <= topologyLimits.replicas))
    throw new ChangeRefusal(
      'CASKADE_BAD_REQUEST',
      `replicas: from ${need}, the most that a bucket asks for, to ${topologyLimits.replicas}, not ${replicas}`,
    )
  if (!(Number.isInteger(movesMax) && movesMax >= 1 && movesMax <= topologyLimits.moves))
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', `movesMax: from 1 to ${topologyLimits.moves}, not ${movesMax}`)
  const changed = { ...topology, settings }
  return replicas === topology.settings.replicas ? changed : retarget(changed)
}

function checkNode({ id, host, zone, address }: NewNode, life: string): void {
  for (const hex of [id, life])
    if (!/^[0-9a-f]{16}$/.test(hex))
      throw new ChangeRefusal('CASKADE_BAD_REQUEST', `16 hex digits, not ${JSON.stringify(hex)}`)
  checkLabel('host', host)
  checkLabel('zone', zone)
  checkLabel('address', address)
}

function checkLabel(what: string, text: string): void {
  const bytes = new TextEncoder().encode(text).length
  if (bytes > topologyLimits.name)
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', `${what}: at most ${topologyLimits.name} bytes, not ${bytes}`)
}
