import { readFile, stat } from 'node:fs/promises'
import { ConfigError } from './config-error.js'

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** The content of a YAML or JSON file (JSON is YAML). */
export async function readConfigFile(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`cannot read the config file: ${reason(error)}`)
  }
  const { parse } = await import('yaml')
  try {
    return parse(text, { uniqueKeys: true, maxAliasCount: 0 }) as unknown
  } catch (error) {
    throw new ConfigError(`${path} is neither YAML nor JSON: ${reason(error)}`)
  }
}

/** The first line of a file that only its owner can read. */
export async function readPasswordFile(path: string): Promise<string> {
  let text: string
  try {
    const { mode } = await stat(path)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new ConfigError(
        `${path} can be read by others (mode 0${(mode & 0o777).toString(8)}): run "chmod 600 ${path}"`,
      )
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`cannot read the password file: ${reason(error)}`)
  }
  const [password = ''] = text.split(/\r?\n/)
  if (password === '') throw new ConfigError(`${path} has no password on its first line`)
  return password
}
