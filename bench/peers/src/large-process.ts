import type { LargeFigures, LargeProgress } from './large-run.js'

/** What one child process does: `load` puts everything and is then killed; `read` opens it again and reads. */
export interface LargeRequest {
  phase: 'load' | 'read'
  store: string
  directory: string
  keys: number
}

export type LargeMessage =
  | { figures: LargeFigures }
  | { progress: LargeProgress }
  | { failed: string }
  | { finished: true }
