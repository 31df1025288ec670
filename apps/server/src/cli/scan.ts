import type { Config } from '../config/resolve-config.js'
import { percentEncode } from '../http/percent-bytes.js'
import type { Command, CommandContext } from './command-context.js'
import { write } from './command-context.js'
import { exitCode } from './exit-code.js'
import { NodeClient } from './node-client.js'
import { pageText, recordText } from './record-text.js'
import { printable, Table } from './table.js'

/** Records asked for at once. */
export const pageRecords = 1000

/** The path of one page of what `prefix` selects. */
export function listPath(config: Config, records: number, cursor: string | undefined, values = true): string {
  const prefix = config.optionalText('prefix')
  const parameters = [`limit=${records}`]
  if (prefix !== undefined) parameters.push(`prefix=${percentEncode(Buffer.from(prefix))}`)
  if (cursor !== undefined) parameters.push(`cursor=${cursor}`)
  if (!values) parameters.push('values=false')
  return `/api/v1/kv?${parameters.join('&')}`
}

/** Calls `page` with page after page until `limit` records or the end. */
async function eachPage(
  { config }: CommandContext,
  client: NodeClient,
  accept: string,
  page: (body: Buffer, cursor: string | undefined) => Promise<{ records: number; cursor: string | undefined }>,
): Promise<number> {
  const limit = config.optionalNumber('limit') ?? Number.POSITIVE_INFINITY
  let total = 0
  let cursor: string | undefined
  while (total < limit) {
    const path = listPath(config, Math.min(pageRecords, limit - total), cursor, !config.boolean('keys-only'))
    const { body, headers } = await client.ask({ path, headers: { accept } })
    const done = await page(body, headers['caskade-cursor'] as string | undefined)
    total += done.records
    cursor = done.cursor
    if (cursor === undefined) break
  }
  return total
}

const countLines = (bytes: Buffer) => {
  let lines = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
  return lines
}

const seconds = (milliseconds: number) =>
  milliseconds > 8.64e15 ? String(milliseconds) : new Date(milliseconds).toISOString().replace(/\.\d+Z/, 'Z')

export const scan: Command = async (context) => {
  const { config, out, err } = context
  const client = await NodeClient.from(config)
  const keysOnly = config.boolean('keys-only')
  try {
    const form = config.text('output')
    if (form === 'ndjson') {
      await eachPage(context, client, 'application/x-ndjson', async (body, cursor) => {
        await write(out, body)
        return { records: countLines(body), cursor }
      })
      return exitCode.ok
    }
    if (form === 'json') {
      let first = true
      await write(out, '[')
      await eachPage(context, client, 'application/json', async (body) => {
        const { items, cursor } = pageText(body)
        for (const { start, end } of items) {
          await write(out, first ? '\n' : ',\n')
          await write(out, body.subarray(start, end))
          first = false
        }
        return { records: items.length, cursor }
      })
      await write(out, first ? ']\n' : '\n]\n')
      return exitCode.ok
    }
    const table = new Table(
      [
        { title: 'KEY' },
        { title: 'VERSION', right: true },
        { title: 'EXPIRES' },
        ...(keysOnly ? [] : [{ title: 'VALUE' }]),
      ],
      out.isTTY === true ? (out.columns ?? 80) : Number.POSITIVE_INFINITY,
    )
    let header = true
    const total = await eachPage(context, client, 'application/json', async (body) => {
      const { items, cursor } = pageText(body)
      const rows = items.map((slice) => {
        const record = recordText(body, slice)
        const cells = [
          printable(record.key),
          String(record.version),
          record.expiresAt === undefined ? 'never' : seconds(record.expiresAt),
        ]
        return keysOnly
          ? cells
          : [
              ...cells,
              printable(record.encoding === undefined ? (record.text ?? record.value) : `base64 ${record.text}`),
            ]
      })
      table.fit(rows)
      if (header && rows.length > 0) await write(out, table.header())
      header = false
      await write(out, table.rows(rows))
      return { records: items.length, cursor }
    })
    if (err.isTTY === true) err.write(`${total.toLocaleString('en-US')} records\n`)
    return exitCode.ok
  } finally {
    client.close()
  }
}
