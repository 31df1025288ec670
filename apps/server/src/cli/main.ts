import { CaskadeError } from '@caskade/engine'
import { CommanderError } from 'commander'
import { ConfigError } from '../config/config-error.js'
import { CliError, type ExitCode, exitCode } from './exit-code.js'
import { createProgram, exitCodeOf, type ProgramStreams } from './program.js'

function listenSentence(error: NodeJS.ErrnoException & { address?: string; port?: number }): string | undefined {
  if (error.syscall !== 'listen') return undefined
  const address = `${error.address ?? ''}:${error.port ?? ''}`
  if (error.code === 'EADDRINUSE')
    return `${address} is taken by another process: stop it, or choose another port with --resp-port and --http-port`
  if (error.code === 'EACCES') return `${address} may not be opened by this user: ports below 1024 are privileged`
  if (error.code === 'EADDRNOTAVAIL') return `${address} is no address of this machine`
  return undefined
}

/** The sentence and the exit code for what ended a subcommand; an error we did not foresee is shown with its stack. */
export function explain(error: unknown): { sentence: string; code: ExitCode } {
  if (error instanceof CliError) return { sentence: error.message, code: error.exitCode }
  if (error instanceof ConfigError) return { sentence: error.message, code: exitCode.usage }
  if (error instanceof CaskadeError) {
    const codes: Partial<Record<string, ExitCode>> = {
      CASKADE_CORRUPTION: exitCode.corruption,
      CASKADE_LOCKED: exitCode.locked,
    }
    return { sentence: `${error.message} (${error.code})`, code: codes[error.code] ?? exitCode.failed }
  }
  if (!(error instanceof Error)) return { sentence: String(error), code: exitCode.failed }
  const sentence = listenSentence(error) ?? ('syscall' in error ? error.message : (error.stack ?? error.message))
  return { sentence, code: exitCode.failed }
}

/** Runs one command line and says how the process should exit. */
export async function main(
  args: readonly string[],
  streams: ProgramStreams,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok
  const program = createProgram(streams, environment, (finished) => {
    code = finished
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOf(error)
    const { sentence, code: failed } = explain(error)
    streams.err.write(`caskade: ${sentence}\n`)
    return failed
  }
}
