import { createWriteStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { encodeCursor } from '../http/list-cursor.js'
import { bytesText } from '../start-summary.js'
import type { Command } from './command-context.js'
import { write } from './command-context.js'
import { exitCode } from './exit-code.js'
import { lineKey } from './line-batcher.js'
import { NodeClient } from './node-client.js'
import { createProgress } from './progress.js'
import { listPath, pageRecords } from './scan.js'

interface Resume {
  /** Bytes of whole lines that the earlier run wrote. */
  bytes: number
  lines: number
  cursor: string
}

/** Where an earlier run of the same export stopped: after the last whole line of its unfinished file. */
async function resumeOf(partial: string): Promise<Resume | undefined> {
  const size = (await stat(partial).catch(() => undefined))?.size ?? 0
  if (size === 0) return undefined
  const file = await open(partial)
  try {
    let lines = 0
    let lineStart = 0
    let lastLine: { start: number; end: number } | undefined
    let position = 0
    for await (const chunk of file.createReadStream({
      autoClose: false,
      highWaterMark: 1024 * 1024,
    }) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
        lastLine = { start: lineStart, end: position + at }
        lineStart = position + at + 1
        lines++
      }
      position += chunk.length
    }
    if (lastLine === undefined) return undefined
    const line = Buffer.alloc(lastLine.end - lastLine.start)
    await file.read(line, 0, line.length, lastLine.start)
    const key = lineKey(line, 0, line.length)
    return key === undefined ? undefined : { bytes: lineStart, lines, cursor: encodeCursor(Buffer.from(key, 'latin1')) }
  } finally {
    await file.close()
  }
}

/** `export`: page after page of lines, written as they come; a file gets its name only when it is whole. */
export const exportFile: Command = async ({ config, args, out, err }) => {
  const path = args[0] ?? '-'
  const toFile = path !== '-'
  const packed = path.endsWith('.gz')
  const partial = `${path}.part`
  const limit = config.optionalNumber('limit') ?? Number.POSITIVE_INFINITY
  const client = await NodeClient.from(config)
  const clock = () => performance.now()
  const started = clock()
  let lines = 0
  let bytes = 0
  try {
    // A packed stream that was cut cannot be continued: it is begun anew.
    const resume = toFile && !packed && !config.boolean('restart') ? await resumeOf(partial) : undefined
    if (resume !== undefined)
      err.write(`resuming ${path} after ${resume.lines.toLocaleString('en-US')} lines (--restart begins anew)\n`)
    const total = config.has('prefix') ? 0 : await keysEstimate(client)
    const progress = await createProgress('exporting', err, config.boolean('progress') && toFile, clock)

    async function* pages(): AsyncGenerator<Buffer> {
      let cursor = resume?.cursor
      lines = resume?.lines ?? 0
      for (;;) {
        if (lines >= limit) return
        const { body, headers } = await client.ask({
          path: listPath(config, Math.min(pageRecords, limit - lines), cursor),
          headers: { accept: 'application/x-ndjson' },
        })
        for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) lines++
        bytes += body.length
        progress.update(lines, total, lines)
        yield body
        cursor = headers['caskade-cursor'] as string | undefined
        if (cursor === undefined) return
      }
    }

    try {
      if (!toFile) for await (const page of pages()) await write(out, page)
      else {
        if (resume !== undefined) await truncate(partial, resume.bytes)
        const file = createWriteStream(partial, resume === undefined ? { flags: 'w', mode: 0o600 } : { flags: 'a' })
        if (packed) await pipeline(pages, createGzip(), file)
        else await pipeline(pages, file)
        await syncFile(partial)
        await rename(partial, path)
      }
    } finally {
      progress.stop()
    }
    if (toFile) {
      const secondsTaken = (clock() - started) / 1000
      if (config.text('output') === 'table')
        out.write(
          `exported ${lines.toLocaleString('en-US')} records (${bytesText(bytes)}) to ${path} in ${secondsTaken.toFixed(2)} s\n`,
        )
      else out.write(`${JSON.stringify({ records: lines, bytes, seconds: secondsTaken, file: path })}\n`)
    }
    return exitCode.ok
  } finally {
    client.close()
  }
}

async function keysEstimate(client: NodeClient): Promise<number> {
  const { body } = await client.ask({ path: '/api/v1/status' })
  return (JSON.parse(body.toString()) as { store: { keysEstimate: number } }).store.keysEstimate
}

async function truncate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(bytes)
  } finally {
    await file.close()
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
