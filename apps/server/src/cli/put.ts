import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Command, CommandContext } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'
import { keyPath } from './key-argument.js'
import { NodeClient } from './node-client.js'

async function readValue({ config, args, input }: CommandContext): Promise<Buffer> {
  const file = config.optionalText('file')
  const value = args[1]
  if ((file === undefined) === (value === undefined))
    throw new CliError(
      exitCode.usage,
      'give the value as an argument, or a file that holds it with --file (- is standard input)',
    )
  if (value !== undefined) return Buffer.from(value)
  return file === '-' ? buffer(input) : readFile(file!)
}

export const put: Command = async (context) => {
  const { config, args, out } = context
  const path = keyPath(args[0]!, config)
  const value = await readValue(context)
  const type = config.text('type')
  const ttlSeconds = config.optionalNumber('ttl-seconds')
  const ifVersion = config.optionalNumber('if-version')
  const headers: Record<string, string> = {}
  if (config.boolean('if-not-exists') || ifVersion === 0) headers['if-none-match'] = '*'
  if (ifVersion !== undefined && ifVersion !== 0) headers['if-match'] = `"${ifVersion}"`

  const client = await NodeClient.from(config)
  try {
    const { body } = await client.ask({
      method: 'PUT',
      path: ttlSeconds === undefined ? path : `${path}?ttlSeconds=${ttlSeconds}`,
      headers: { ...headers, 'content-type': type === 'binary' ? 'application/octet-stream' : 'application/json' },
      body:
        type === 'binary'
          ? value
          : type === 'json'
            ? Buffer.concat([Buffer.from('{"value":'), value, Buffer.from('}')])
            : textBody(value),
    })
    const { version } = JSON.parse(body.toString()) as { version: number }
    out.write(config.text('output') === 'table' ? `stored, version ${version}\n` : `${body}\n`)
    return exitCode.ok
  } finally {
    client.close()
  }
}

function textBody(value: Buffer): string {
  const text = value.toString()
  if (!Buffer.from(text).equals(value))
    throw new CliError(exitCode.usage, 'the value is not UTF-8 text: store it with --type binary')
  return JSON.stringify({ value: text })
}
