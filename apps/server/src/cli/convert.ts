import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { openStore, type Store, type StoreKind, storeKind } from '@caskade/engine'
import type { Command } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'

const batchRecords = 1000
const batchBytes = 4 << 20

/** `convert`: every record of one directory, with its expiry, tag and time, into a new directory of the other backend. */
export const convert: Command = async ({ config, args, out }) => {
  const [from, to] = [resolve(args[0]!), resolve(args[1]!)]
  const kind = storeKind(from)
  if (kind === undefined) throw new CliError(exitCode.failed, `there is no store in ${from}`)
  const left = await readdir(to).catch(() => [])
  if (left.length > 0) throw new CliError(exitCode.failed, `${to} is not empty: it holds ${left[0]}`)
  const store = config.text('store') as StoreKind
  await using source = await openStore(from, { store: kind, readOnly: true })
  await using target = await openStore(to, { store })
  const records = await copyRecords(source, target)
  await target.sync()
  out.write(`${records.toLocaleString('en-US')} records from ${from} (${kind}) are in ${to} (${store})\n`)
  return exitCode.ok
}

async function copyRecords(source: Store, target: Store): Promise<number> {
  let records = 0
  let batch: Parameters<Store['write']>[0][number][] = []
  let bytes = 0
  const flush = async () => {
    await target.write(batch)
    records += batch.length
    batch = []
    bytes = 0
  }
  for await (const { key, value, expiresAt, tag, writtenAt } of source.scan()) {
    batch.push({ type: 'put', key, value, expiresAt, tag, writtenAt })
    bytes += key.length + value.length
    if (batch.length >= batchRecords || bytes >= batchBytes) await flush()
  }
  await flush()
  return records
}
