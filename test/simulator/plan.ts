import type { DeliberateBug, Level } from '@caskade/cluster'
import type { PlannedFault } from './fault.js'
import type { Bucket } from './history.js'

/** What one client does next, when it has had the answer to what it did before. */
export interface PlannedOperation {
  /** Unique in the plan; stays when others are dropped. The value of a put carries it. */
  readonly number: number
  readonly client: number
  /** Pause since the answer to the one before, in milliseconds. */
  readonly thinkMs: number
  readonly kind: 'put' | 'delete' | 'get' | 'getMany'
  readonly bucket: Bucket
  /** One; several for `getMany`. */
  readonly keys: readonly string[]
  readonly level: Level
  /** Give the context of the client's last read of the key. */
  readonly withContext: boolean
  /** Only if the key is absent. */
  readonly ifAbsent: boolean
  /** From now; 0: never. */
  readonly expiresInMs: number
  /** Node to ask first; the next ones are asked when it is not there. */
  readonly coordinator: number
  readonly timeoutMs: number
  /** Tries of a write, all with the same request id. */
  readonly attempts: number
  /** Bytes added to the value. */
  readonly padding: number
}

/** Everything about a run that is not the code: the same plan gives the same run. */
export interface Plan {
  readonly seed: number
  readonly nodes: number
  readonly latencyMs: readonly [min: number, max: number]
  /** How long the disks take to sync. */
  readonly syncMs: readonly [min: number, max: number]
  /** By node: its wall clock against the world's from the beginning on, in milliseconds. */
  readonly clockErrorsMs: readonly number[]
  readonly buckets: readonly Bucket[]
  readonly operations: readonly PlannedOperation[]
  readonly faults: readonly PlannedFault[]
  /** When every fault ends. */
  readonly healAtMs: number
  readonly bugs: readonly DeliberateBug[]
  /** What the seed left on: for people. */
  readonly features: readonly string[]
}
