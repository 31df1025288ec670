import { ConfigError } from './config-error.js'
import { readConfigFile, readPasswordFile } from './config-file-reader.js'
import { Config, resolveConfig } from './resolve-config.js'

/** Reads everything a command was given: flags, `CASKADE_*`, and the file that `--config` or `CASKADE_CONFIG` names. */
export async function loadConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  configPath: string | undefined = environment.CASKADE_CONFIG,
): Promise<Config> {
  const file = configPath === undefined ? undefined : { path: configPath, content: await readConfigFile(configPath) }
  return new Config(resolveConfig({ flags, environment, file }))
}

/** The password, whichever way it was given. */
export async function passwordFrom(config: Config): Promise<string | undefined> {
  const password = config.optionalText('password')
  const path = config.optionalText('password-file')
  if (password !== undefined && path !== undefined)
    throw new ConfigError('both password and password-file are set: give one of them')
  if (password === '') throw new ConfigError('the password is empty: leave it out, or give one')
  return path === undefined ? password : readPasswordFile(path)
}
