import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { openStore, storeKind } from '@caskade/engine'
import { bytesText } from '../start-summary.js'
import type { Command } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'

export const check: Command = async ({ config, args, out }) => {
  const directory = resolve(args[0] ?? config.text('data-dir'))
  const found = await stat(directory).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new CliError(exitCode.failed, `there is no directory ${directory}`)
  // Read-only: a check neither recovers nor changes what it looks at, nor takes a mistyped path for a sound, empty store.
  const store = await openStore(directory, {
    store: storeKind(directory) ?? 'lsm',
    readOnly: true,
    mmap: config.text('mmap') === 'off' ? 'off' : 'auto',
  })
  try {
    const report = await store.verify()
    if (config.text('output') !== 'table') out.write(`${JSON.stringify({ directory, ...report })}\n`)
    else {
      for (const { file, offset, message } of report.errors) out.write(`${file} at offset ${offset}: ${message}\n`)
      const read = `${report.files} files, ${bytesText(report.bytes)}, ${report.records.toLocaleString('en-US')} records`
      out.write(
        report.errors.length === 0
          ? `${directory} is sound: ${read}\n`
          : `${directory} is damaged in ${report.errors.length} ${report.errors.length === 1 ? 'place' : 'places'}: ${read} read\n`,
      )
    }
    return report.errors.length === 0 ? exitCode.ok : exitCode.corruption
  } finally {
    await store.close()
  }
}
