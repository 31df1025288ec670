import type { Command } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'
import { keyPath } from './key-argument.js'
import { NodeClient } from './node-client.js'

export const del: Command = async ({ config, args, out }) => {
  const client = await NodeClient.from(config)
  const ifVersion = config.optionalNumber('if-version')
  try {
    const { status, body } = await client.ask({
      method: 'DELETE',
      path: keyPath(args[0]!, config),
      headers: { 'if-match': ifVersion === undefined ? '*' : `"${ifVersion}"` },
      accept: [412],
    })
    if (status === 412) {
      const { version } = JSON.parse(body.toString()) as { version: number }
      throw new CliError(
        exitCode.failed,
        version === 0 ? `there is no record under ${args[0]}` : `the record is at version ${version}, not ${ifVersion}`,
      )
    }
    out.write(config.text('output') === 'table' ? 'deleted\n' : `${body}\n`)
    return exitCode.ok
  } finally {
    client.close()
  }
}
