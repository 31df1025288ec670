import type { PrefixLedger } from './prefix-ledger.js'
import type { RoundPlan } from './round-plan.js'
import type { Workload } from './workload.js'

/** What is killed: a server, or a process with the engine in it. */
export interface CrashTarget {
  /** Starts a process on the directory and kills it so many milliseconds later, ready or not. */
  killDuringStart(directory: string, plan: RoundPlan, afterMs: number): Promise<void>
  /** Starts a process and waits until it has recovered; rejects if it does not. */
  start(directory: string, plan: RoundPlan): Promise<RunningTarget>
}

export interface Writer {
  workload: Workload
  ledger: PrefixLedger
}

export interface RunningTarget {
  /** Every record there is. */
  readAll(): Promise<Map<string, string>>
  /** Writes until the process dies; resolves then, with what went wrong before. The ledgers know what is in flight. */
  write(writers: readonly Writer[], plan: RoundPlan): Promise<string[]>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Ends it in the ordinary way; rejects unless all is well: exit code 0, files whole. */
  close(): Promise<void>
}
