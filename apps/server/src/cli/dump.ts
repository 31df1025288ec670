import { inspectFile } from '@caskade/engine'
import { type Command, write } from './command-context.js'
import { exitCode } from './exit-code.js'

export const dump: Command = async ({ args, out }) => {
  let damaged = false
  for (const line of inspectFile(args[0]!)) {
    damaged ||= line.includes('DAMAGED: ')
    await write(out, `${line}\n`)
  }
  return damaged ? exitCode.corruption : exitCode.ok
}
