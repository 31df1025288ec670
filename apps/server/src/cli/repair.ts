import { resolve } from 'node:path'
import { repairStore } from '@caskade/engine'
import type { Command } from './command-context.js'
import { exitCode } from './exit-code.js'

export const repair: Command = async ({ config, args, out }) => {
  const directory = resolve(args[0] ?? config.text('data-dir'))
  const report = await repairStore(directory, { mmap: config.text('mmap') === 'off' ? 'off' : 'auto' })
  if (config.text('output') !== 'table') {
    out.write(`${JSON.stringify({ directory, ...report })}\n`)
    return exitCode.ok
  }
  if (report.damage.length === 0) {
    out.write(`${directory} is sound: nothing was changed\n`)
    return exitCode.ok
  }
  for (const { file, offset, message } of report.damage) out.write(`${file} at offset ${offset}: ${message}\n`)
  for (const file of report.lost) out.write(`moved: ${file}\n`)
  if (report.manifestRebuilt) out.write('the manifest was rebuilt: records that had been deleted may be back\n')
  out.write(
    `${directory} opens again; ${report.recordsSalvaged.toLocaleString('en-US')} records were copied out of damaged files\n`,
  )
  return exitCode.ok
}
