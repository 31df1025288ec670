import type { Config } from '../config/resolve-config.js'
import type { ExitCode } from './exit-code.js'

/** Where text and bytes go: the process's own streams. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(data: string | Uint8Array): boolean
  once(event: 'drain', listener: () => void): unknown
}

export interface CommandContext {
  config: Config
  /** Positional arguments; commander has checked how many. */
  args: readonly string[]
  out: Output
  err: Output & NodeJS.WritableStream
  input: NodeJS.ReadableStream
}

export type Command = (context: CommandContext) => Promise<ExitCode>

/** Writes, and waits where the reader is behind. */
export function write(out: Output, data: string | Uint8Array): Promise<void> | undefined {
  if (out.write(data)) return undefined
  return new Promise((resolve) => out.once('drain', resolve))
}
