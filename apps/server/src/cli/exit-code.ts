/** What the exit code of every subcommand means; documented in docs/server/cli.md. */
export const exitCode = {
  ok: 0,
  /** Not found, a condition failed, refused, or any failure that has no code of its own. */
  failed: 1,
  /** Flags, variables, config file or arguments are wrong; nothing was done. */
  usage: 2,
  /** No node answers. */
  cannotConnect: 3,
  /** `check` found damage, or the data cannot be opened because of it. */
  corruption: 4,
  /** Another process has the data directory. */
  locked: 5,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** Ends a subcommand with a sentence for people and a code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(code: ExitCode, message: string) {
    super(message)
    this.exitCode = code
  }
}
