/** A mistake in flags, variables or config file: the command line ends with its message and exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
