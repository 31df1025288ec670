import type { OpenOptions } from '@caskade/engine'
import type { WorkloadOptions } from './workload.js'

/** What the parent asks of the process that holds the engine. */
export type EngineRequest =
  | { type: 'open'; directory: string; options: OpenOptions }
  | { type: 'read-all' }
  | { type: 'write'; workload: WorkloadOptions; depthMax: number }
  | { type: 'close' }

export type EngineAnswer = { type: 'done'; records?: Map<string, string> } | { type: 'failed'; message: string }

/** Descriptor on which the child writes one byte per acknowledged operation, at once: what left it survives the kill. */
export const acknowledgementFd = 3
