import { isUtf8 } from 'node:buffer'
import type { Command } from './command-context.js'
import { write } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'
import { keyPath } from './key-argument.js'
import { NodeClient } from './node-client.js'

export const get: Command = async ({ config, args, out }) => {
  const client = await NodeClient.from(config)
  const forPeople = config.text('output') === 'table'
  try {
    const { status, body } = await client.ask({
      path: keyPath(args[0]!, config),
      headers: { accept: forPeople ? 'application/octet-stream' : 'application/json' },
      accept: [404],
    })
    if (status === 404) throw new CliError(exitCode.failed, `there is no record under ${args[0]}`)
    if (!forPeople) await write(out, Buffer.concat([body, Buffer.from('\n')]))
    else if (out.isTTY !== true) await write(out, body)
    else if (isUtf8(body)) await write(out, `${body.toString()}\n`)
    else throw new CliError(exitCode.failed, `the value is ${body.length} bytes of binary: redirect it, or use -o json`)
    return exitCode.ok
  } finally {
    client.close()
  }
}
