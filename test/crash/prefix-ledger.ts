import type { Operation, Write } from './workload.js'

export type Verdict = { applied: number } | { violations: string[] }

/**
 * What one writer knows: its operations in order, and how many of them were acknowledged. One writer's operations take
 * effect in order, so after a crash its keys must read as if exactly the first n operations had happened, for one n
 * between what was acknowledged and what was asked for. That single test finds a lost write, a stale one, one that came
 * back, a hole and a half-applied batch.
 */
export class PrefixLedger {
  /** What the acknowledged operations leave. */
  #settled: Map<string, string>
  #pending: Operation[] = []
  #head = 0
  acknowledged = 0

  constructor(records: ReadonlyMap<string, string> = new Map()) {
    this.#settled = new Map(records)
  }

  get settled(): ReadonlyMap<string, string> {
    return this.#settled
  }

  issue(operation: Operation): void {
    this.#pending.push(operation)
  }

  /** The oldest operation in flight succeeded. */
  acknowledge(): Operation {
    const operation = this.#pending[this.#head++]
    if (operation === undefined) throw new Error('more acknowledged than asked for')
    for (const write of operation.writes) apply(this.#settled, write)
    this.acknowledged++
    if (this.#head === 10_000) {
      this.#pending = this.#pending.slice(this.#head)
      this.#head = 0
    }
    return operation
  }

  /** Holds what was read after a crash against what may be there; then goes on from it, with nothing in flight. */
  settle(found: ReadonlyMap<string, string>): Verdict {
    const pending = this.#pending.slice(this.#head)
    const verdict = compare(this.#settled, pending, found)
    this.#settled = new Map(found)
    this.#pending = []
    this.#head = 0
    return verdict
  }
}

function apply(records: Map<string, string>, [key, value]: Write): void {
  if (value === undefined) records.delete(key)
  else records.set(key, value)
}

function compare(
  settled: ReadonlyMap<string, string>,
  pending: Operation[],
  found: ReadonlyMap<string, string>,
): Verdict {
  const wrong = new Set<string>()
  for (const [key, value] of settled) if (found.get(key) !== value) wrong.add(key)
  for (const key of found.keys()) if (!settled.has(key)) wrong.add(key)
  const wrongAtFirst = [...wrong]
  for (let applied = 0; ; applied++) {
    if (wrong.size === 0) return { applied }
    const operation = pending[applied]
    if (operation === undefined) break
    for (const [key, value] of operation.writes)
      if (found.get(key) === value) wrong.delete(key)
      else wrong.add(key)
  }
  return { violations: explain(settled, pending, found, wrongAtFirst) }
}

const short = (value: string | undefined) => (value === undefined ? 'nothing' : `"${value.slice(0, 60)}"`)

function explain(
  settled: ReadonlyMap<string, string>,
  pending: Operation[],
  found: ReadonlyMap<string, string>,
  wrong: string[],
): string[] {
  const impossible = wrong.flatMap((key) => {
    const later = pending.flatMap(({ writes }) => writes).filter(([other]) => other === key)
    if (later.some(([, value]) => found.get(key) === value)) return []
    const expected = `${short(settled.get(key))}${later.length > 0 ? ` or one of ${later.length} later writes` : ''}`
    return [`${key}: acknowledged ${expected}, found ${short(found.get(key))}`]
  })
  if (impossible.length > 0) return impossible
  return [
    `each key has a value it may have, but no prefix of the ${pending.length} operations in flight leaves all of them: ` +
      `a batch is half applied or an operation was skipped (keys ${wrong.slice(0, 8).join(', ')})`,
  ]
}
