import { movesWanted } from '../coordination/move-changes.js'
import type { Member, Move, Topology } from '../coordination/topology.js'
import type { TopologyChange } from '../coordination/topology-change.js'
import type { MemberNumber } from '../node/identity.js'

/** What the driver of moves knows beside the topology. */
export interface MoveView {
  /** Whether the member, in the life that has this number, is held for alive. */
  readonly lives: (member: MemberNumber) => boolean
  /** Who has said that it is ready for the next step of the partition, in the epoch of its last one. */
  readonly ready: (partition: number) => ReadonlySet<MemberNumber>
}

/**
 * The next step of moves, one kind at a time so that several partitions go in one epoch; `undefined`: nothing to do, or to wait for. Pure.
 *
 * - abort: the partition should be elsewhere by now.
 * - advance, to reading from the new owners: each of them has pulled everything from the old owners.
 * - finish, with the new owners alone: all owners, old and new, know that reads go to the new ones, so that no quorum of the old ones still answers.
 * - start: there is room for more.
 *
 * Every owner is waited for, except an old one that is to leave and is held for dead: what it alone had acknowledged goes with it.
 */
export function nextMoveStep(topology: Topology, view: MoveView): TopologyChange | undefined {
  const { moves, target, settings } = topology
  const aborted = moves.filter(({ partition, to }) => !sameOwners(to, target[partition]!))
  if (aborted.length > 0) return step('abort', aborted)
  const finished = moves.filter((move) => move.phase === 'readNew' && isReady(topology, move, view))
  if (finished.length > 0) return step('finish', finished)
  const advanced = moves.filter((move) => move.phase === 'readOld' && isReady(topology, move, view))
  if (advanced.length > 0) return step('advance', advanced)
  const room = settings.movesMax - moves.length
  const wanted = movesWanted(topology)
    .filter((partition) => target[partition]!.every(view.lives))
    .slice(0, Math.max(0, room))
  return wanted.length > 0 ? { type: 'moves', step: 'start', partitions: wanted } : undefined
}

function step(kind: 'abort' | 'advance' | 'finish', moves: readonly Move[]): TopologyChange {
  return { type: 'moves', step: kind, partitions: moves.map(({ partition }) => partition) }
}

function isReady(topology: Topology, { partition, to, phase }: Move, { lives, ready }: MoveView): boolean {
  const said = ready(partition)
  if (!to.every((member) => said.has(member))) return false
  if (phase === 'readOld') return true
  const gone = goneOf(topology, lives)
  return topology.claim[partition]!.every((member) => said.has(member) || gone.has(member))
}

/** Something moves, or is to. */
export const isUnsettled = (topology: Topology) => topology.moves.length > 0 || movesWanted(topology).length > 0

/** Whom a move does not wait for. */
export function goneOf({ members }: Topology, lives: MoveView['lives']): Set<MemberNumber> {
  return new Set(members.filter((member) => isGone(member) && !lives(member.number)).map(({ number }) => number))
}

const isGone = ({ state }: Member) => state === 'leaving' || state === 'removed'

const sameOwners = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((each, i) => each === b[i])

/** The one member that proposes steps: the first that is up and held for alive. Two at a time do no harm. */
export function driverOf({ members }: Topology, lives: MoveView['lives']): MemberNumber | undefined {
  return members.find(({ number, state }) => state === 'up' && lives(number))?.number
}
