import type { Finding, History } from '../history.js'
import { agreement } from './agreement.js'
import { backwardReads } from './backward-reads.js'
import { convergence } from './convergence.js'
import { expiredReads } from './expired-reads.js'
import { inventedValues } from './invented-values.js'
import { liveness } from './liveness.js'
import { lostWrites } from './lost-writes.js'
import { repeatedValues } from './repeated-values.js'
import { resurrections } from './resurrections.js'
import { sessionReads } from './session-reads.js'
import { staleReads } from './stale-reads.js'
import { topologies } from './topologies.js'
import { unanswered } from './unanswered.js'

const checkers = [
  lostWrites,
  staleReads,
  backwardReads,
  sessionReads,
  inventedValues,
  repeatedValues,
  resurrections,
  expiredReads,
  convergence,
  topologies,
  agreement,
  unanswered,
  liveness,
]

/** The verdict on a history. */
export function check(history: History): Required<Finding> {
  const findings = checkers.map((checker) => checker(history))
  return {
    violations: findings.flatMap(({ violations }) => violations),
    counts: Object.assign({}, ...findings.map(({ counts }) => counts)),
  }
}
