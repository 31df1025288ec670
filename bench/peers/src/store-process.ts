import type { Measurement } from './measurement.js'

/**
 * What one child process does: `fill` puts everything, one by one, and kills itself with SIGKILL; `read` reopens that
 * directory and reads; `change` overwrites it and reads and writes it at once; `fill-batch` and `fill-sync` put into a new one
 * in batches, and so that each put survives a power cut.
 */
export type Phase = 'fill' | 'read' | 'change' | 'fill-batch' | 'fill-sync'

export interface PhaseRequest {
  subject: string
  phase: Phase
  directory: string
  keys: number
  valueBytes: number
}

export type PhaseMessage =
  | { measurement: Measurement }
  | { unavailable: string }
  | { failed: string }
  | { finished: true }
