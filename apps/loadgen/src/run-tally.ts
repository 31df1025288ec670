import { type Violation, violations } from './verifier.js'

/** Bound of distinct error kinds kept apart; a server that answers every request with another one fills no memory. */
const errorKindsMax = 64

/** What a phase counts beside latencies. Warm-up operations are in it: a wrong answer is wrong at any time. */
export class RunTally {
  readonly errors = new Map<string, number>()
  /** The first message of each kind. */
  readonly errorMessages = new Map<string, string>()
  readonly violations = new Map<Violation, number>(violations.map((violation) => [violation, 0]))
  /** The first few violations, in words. */
  readonly violationExamples: string[] = []
  errorCount = 0
  violationCount = 0
  /** Well-formed answers "no such record". */
  absent = 0
  /** Measured operations that began more than a millisecond after they were due. */
  late = 0
  /** Values checked by the verifier. */
  verified = 0
  disconnects = 0
  /** When the last measured operation was answered. */
  lastMeasuredMs = 0

  error(kind: string, message: string, count = 1): void {
    const known = this.errors.has(kind) || this.errors.size < errorKindsMax ? kind : 'other'
    this.errors.set(known, (this.errors.get(known) ?? 0) + count)
    if (!this.errorMessages.has(known)) this.errorMessages.set(known, message)
    this.errorCount += count
  }

  violation(violation: Violation, describe: () => string): void {
    this.violations.set(violation, this.violations.get(violation)! + 1)
    this.violationCount++
    if (this.violationExamples.length < 10) this.violationExamples.push(`${violation}: ${describe()}`)
  }
}
