import type { Config } from '../config/resolve-config.js'
import { percentEncode } from '../http/percent-bytes.js'
import { CliError, exitCode } from './exit-code.js'

/** The API path of a key given on the command line: text, or base64 with `key-base64`. */
export function keyPath(key: string, config: Config): string {
  const bytes = Buffer.from(key, config.boolean('key-base64') ? 'base64' : 'utf8')
  if (config.boolean('key-base64') && bytes.toString('base64') !== key)
    throw new CliError(exitCode.usage, `the key is not base64: ${key}`)
  if (bytes.length === 0) throw new CliError(exitCode.usage, 'a key has at least one byte')
  return `/api/v1/kv/${percentEncode(bytes)}`
}
