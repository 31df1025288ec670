import { mkdirSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '../seeded-random.js'
import type { CrashTarget, RunningTarget } from './crash-target.js'
import { PrefixLedger } from './prefix-ledger.js'
import { planRound, type RoundPlan, writersMax } from './round-plan.js'
import { countersOf, Workload } from './workload.js'

export interface CrashOptions {
  target: CrashTarget
  directory: string
  rounds: number
  seed: number
  /** Longest time that a round writes, in milliseconds. */
  writeMsMax: number
  /** Keys of each writer. */
  keys: number
  onRound?: (round: number, plan: RoundPlan, report: CrashReport) => void
}

export interface CrashReport {
  rounds: number
  violations: number
  seed: number
  acknowledged: number
  /** In flight when the process died, and found applied as a whole. */
  unacknowledgedApplied: number
  killsDuringStart: number
  startMsMax: number
  /** The first violations in words. */
  messages: string[]
}

const messagesMax = 20
const writerNames = Array.from({ length: writersMax }, (_, i) => `w${i}`)

/**
 * Rounds of: start, verify, write, `kill -9`. Each round verifies what the one before left; the last one is followed by a
 * verification, an ordinary stop, and another. Stops at the first round with a violation: the directory is then its evidence.
 */
export async function crashRun(options: CrashOptions): Promise<CrashReport> {
  const run = new CrashRun(options)
  const random = new SeededRandom(options.seed)
  try {
    for (let round = 0; round < options.rounds && run.report.violations === 0; round++) {
      const plan = planRound(random.fork(), round === 0, options.writeMsMax)
      await run.round(plan)
      options.onRound?.(round, plan, run.report)
    }
    if (run.report.violations === 0) await run.finish({ ...planRound(random, false, 0), freshDirectory: false })
  } catch (error) {
    run.violate(String((error as Error).stack ?? error))
  } finally {
    await run.end()
  }
  return run.report
}

class CrashRun {
  readonly report: CrashReport
  readonly #options: CrashOptions
  #ledgers = new Map<string, PrefixLedger>()
  #running: RunningTarget | undefined

  constructor(options: CrashOptions) {
    this.#options = options
    this.report = {
      rounds: 0,
      violations: 0,
      seed: options.seed,
      acknowledged: 0,
      unacknowledgedApplied: 0,
      killsDuringStart: 0,
      startMsMax: 0,
      messages: [],
    }
  }

  violate(message: string): void {
    this.report.violations++
    if (this.report.messages.length < messagesMax) this.report.messages.push(message)
  }

  async round(plan: RoundPlan): Promise<void> {
    const { directory, target } = this.#options
    this.report.rounds++
    if (plan.freshDirectory) await this.#empty(plan)
    for (const afterMs of plan.killsDuringStartMs) {
      await target.killDuringStart(directory, plan, afterMs)
      this.report.killsDuringStart++
    }
    let running = await this.#startVerified(plan)
    if (plan.restartCleanly) {
      await running.close()
      running = await this.#startVerified(plan)
    }
    if (this.report.violations > 0) return
    await this.#writeAndKill(running, plan)
  }

  /** Whatever happened, no process is left. */
  async end(): Promise<void> {
    await this.#running?.kill()
  }

  /** The last crash verified, then an ordinary stop, after which nothing may differ. */
  async finish(plan: RoundPlan): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const running = await this.#startVerified(plan)
      await running.close()
    }
  }

  async #empty(plan: RoundPlan): Promise<void> {
    if (this.#ledgers.size > 0) {
      const running = await this.#startVerified(plan)
      await running.kill()
    }
    rmSync(this.#options.directory, { recursive: true, force: true })
    mkdirSync(this.#options.directory, { recursive: true })
    this.#ledgers = new Map(writerNames.map((name) => [name, new PrefixLedger()]))
  }

  async #startVerified(plan: RoundPlan): Promise<RunningTarget> {
    const startedAt = performance.now()
    const running = await this.#options.target.start(this.#options.directory, plan)
    this.#running = running
    this.report.startMsMax = Math.max(this.report.startMsMax, Math.round(performance.now() - startedAt))
    this.#verify(await running.readAll())
    return running
  }

  #verify(records: Map<string, string>): void {
    const byWriter = new Map(writerNames.map((name) => [name, new Map<string, string>()]))
    for (const [key, value] of records) {
      const own = byWriter.get(key.slice(0, key.indexOf(':')))
      if (own === undefined) this.violate(`${key}: nobody wrote it`)
      else own.set(key, value)
    }
    for (const [name, ledger] of this.#ledgers) {
      const verdict = ledger.settle(byWriter.get(name)!)
      if ('violations' in verdict) for (const message of verdict.violations) this.violate(message)
      else this.report.unacknowledgedApplied += verdict.applied
    }
  }

  async #writeAndKill(running: RunningTarget, plan: RoundPlan): Promise<void> {
    const names = writerNames.slice(0, plan.writers)
    const acknowledged = () => names.reduce((sum, name) => sum + this.#ledgers.get(name)!.acknowledged, 0)
    const before = acknowledged()
    const writers = names.map((writer, i) => {
      const ledger = this.#ledgers.get(writer)!
      const counters = countersOf(ledger.settled, writer)
      const workload = new Workload({ seed: plan.seed + i, writer, keys: this.#options.keys, counters })
      return { workload, ledger }
    })
    const written = running.write(writers, plan)
    await delay(plan.killAfterMs)
    await running.kill()
    for (const message of await written) this.violate(message)
    this.report.acknowledged += acknowledged() - before
  }
}
