import type { Measurement } from './measurement.js'

/**
 * What one child process does: `fill` puts everything, one by one, and kills itself with SIGKILL; `read` reopens that
 * directory and reads; `fill-batch` puts everything in batches.
 */
export type Phase = 'fill' | 'read' | 'fill-batch'

export interface PhaseRequest {
  subject: string
  phase: Phase
  directory: string
  keys: number
}

export type PhaseMessage =
  | { measurement: Measurement }
  | { unavailable: string }
  | { failed: string }
  | { finished: true }
