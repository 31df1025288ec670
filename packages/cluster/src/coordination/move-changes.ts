import { ChangeRefusal } from './change-outcome.js'
import { same } from './member-changes.js'
import type { Move, Topology } from './topology.js'

/**
 * The steps of a move, each an epoch: start (write both, read old) → advance (write both, read new) → finish (the new owners alone). Abort
 * goes back to the old owners from either phase: they have had every write. Several partitions may take a step in one epoch.
 */
export type MoveStep = 'start' | 'advance' | 'finish' | 'abort'

export function stepMoves(topology: Topology, step: MoveStep, partitions: readonly number[]): Topology {
  if (partitions.length === 0 || new Set(partitions).size !== partitions.length)
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', 'name each partition once, and at least one')
  const moves = new Map(topology.moves.map((move) => [move.partition, move]))
  const claim = [...topology.claim]
  const changedAt = [...(topology.changedAt ?? topology.claim.map(() => 1))]
  for (const partition of partitions) {
    const next = step === 'start' ? begin(topology, partition) : after(under(moves, partition), step)
    if (step === 'finish') claim[partition] = moves.get(partition)!.to
    if (next === undefined) moves.delete(partition)
    else moves.set(partition, next)
    changedAt[partition] = topology.epoch + 1
  }
  if (step === 'start' && moves.size > topology.settings.movesMax)
    throw new ChangeRefusal('CASKADE_TOO_MANY', `${moves.size} moves at once, at most ${topology.settings.movesMax}`)
  return { ...topology, claim, changedAt, moves: [...moves.values()].sort((a, b) => a.partition - b.partition) }
}

/** Partitions that are not where they should be and not on their way, ascending. */
export function movesWanted({ claim, target, moves }: Topology): number[] {
  const moving = new Set(moves.map(({ partition }) => partition))
  const wanted: number[] = []
  for (const [partition, owners] of target.entries())
    if (!moving.has(partition) && !same(owners, claim[partition]!)) wanted.push(partition)
  return wanted
}

function begin({ claim, target, moves }: Topology, partition: number): Move {
  const to = target[partition]
  if (to === undefined) throw new ChangeRefusal('CASKADE_BAD_REQUEST', `no partition ${partition}`)
  if (moves.some((each) => each.partition === partition))
    throw new ChangeRefusal('CASKADE_MOVE_CONFLICT', `partition ${partition} moves already`)
  if (same(to, claim[partition]!))
    throw new ChangeRefusal('CASKADE_MOVE_CONFLICT', `partition ${partition} is where it should be`)
  return { partition, to, phase: 'readOld' }
}

function under(moves: ReadonlyMap<number, Move>, partition: number): Move {
  const move = moves.get(partition)
  if (move === undefined) throw new ChangeRefusal('CASKADE_MOVE_CONFLICT', `partition ${partition} does not move`)
  return move
}

function after(move: Move, step: Exclude<MoveStep, 'start'>): Move | undefined {
  const needed = step === 'advance' ? 'readOld' : step === 'finish' ? 'readNew' : move.phase
  if (move.phase !== needed)
    throw new ChangeRefusal(
      'CASKADE_MOVE_CONFLICT',
      `partition ${move.partition} is in ${move.phase}: no ${step} from there`,
    )
  return step === 'advance' ? { ...move, phase: 'readNew' } : undefined
}
