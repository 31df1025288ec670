import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { bytesText } from '../start-summary.js'
import type { Command, CommandContext } from './command-context.js'
import { CliError, exitCode } from './exit-code.js'
import { checkpointLine, checkpointPrefix, deleteCheckpoint, fingerprint, readCheckpoint } from './import-checkpoint.js'
import { ImportWindow, type Mark } from './import-window.js'
import { batchKeys, type LineBatch, LineBatcher } from './line-batcher.js'
import { ConnectionError, NodeClient } from './node-client.js'
import { createProgress } from './progress.js'

const chunkBytes = 256 * 1024
const lineBytesMax = 64 * 1024 * 1024

interface Source {
  name: string
  /** Bytes on disk; 0: unknown. */
  size: number
  /** Bytes read from disk so far. */
  read: () => number
  /** What it holds from `skipBytes` on, unpacked. */
  chunks: AsyncIterable<Buffer>
}

async function* skipping(chunks: AsyncIterable<Buffer>, skipBytes: number): AsyncGenerator<Buffer> {
  let left = skipBytes
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

function openSource(path: string, size: number, skipBytes: number, input: NodeJS.ReadableStream): Source {
  if (path === '-')
    return { name: 'standard input', size: 0, read: () => 0, chunks: input as unknown as AsyncIterable<Buffer> }
  const packed = path.endsWith('.gz')
  const file = createReadStream(path, { highWaterMark: chunkBytes, start: packed ? 0 : skipBytes })
  const read = () => file.bytesRead + (packed ? 0 : skipBytes)
  if (!packed) return { name: path, size, read, chunks: file }
  const unpacked = createGunzip({ chunkSize: chunkBytes })
  // An error of either stream arrives where the other end is read.
  pipeline(file, unpacked, () => {})
  return { name: path, size, read, chunks: skipping(unpacked, skipBytes) }
}

async function sizeOf(path: string): Promise<number> {
  if (path === '-') return 0
  const found = await stat(path).catch((error: unknown) => {
    throw new CliError(exitCode.usage, `cannot read ${path}: ${error instanceof Error ? error.message : error}`)
  })
  if (!found.isFile()) throw new CliError(exitCode.usage, `${path} is not a file`)
  return found.size
}

/** Sentences of the node count lines of one batch; people count lines of the file. */
function inFile(error: unknown, name: string, batch: LineBatch): unknown {
  if (!(error instanceof CliError) || error instanceof ConnectionError) return error
  const first = batch.endLines - batch.lines
  const message = error.message.replace(
    /^line (\d+) of the body: /,
    (_match, line: string) => `line ${first + Number(line)}: `,
  )
  return new CliError(error.exitCode, `${name}: ${message}`)
}

/** `import`: batches of whole lines, several under way at once, resumable through a checkpoint in the store. */
export const importFile: Command = async (context: CommandContext) => {
  const { config, args, out, err, input } = context
  const path = args[0]!
  const size = await sizeOf(path)
  const flights = config.number('in-flight')
  const client = await NodeClient.from(config, flights)
  const clock = () => performance.now()
  const started = clock()
  try {
    const checkpoint = path === '-' ? undefined : `${checkpointPrefix}${await fingerprint(path)}`
    const earlier =
      checkpoint === undefined || config.boolean('restart') ? undefined : await readCheckpoint(client, checkpoint)
    const start: Mark = earlier ?? { bytes: 0, lines: 0 }
    if (earlier !== undefined)
      err.write(`resuming ${basename(path)} after ${start.lines.toLocaleString('en-US')} lines\n`)

    const source = openSource(path, size, start.bytes, input)
    const batcher = new LineBatcher(
      { recordsMax: Math.max(1, config.number('batch-records')), bytesMax: config.number('batch-bytes'), lineBytesMax },
      start.bytes,
      start.lines,
    )
    const window = new ImportWindow(flights, start)
    const progress = await createProgress('importing', err, config.boolean('progress'), clock)

    const send = async (batch: LineBatch) => {
      const line = checkpoint === undefined ? '' : checkpointLine(checkpoint, window.acknowledged)
      // The checkpoint goes last: lines keep their numbers in what the node says about them.
      const gap = batch.bytes.at(-1) === 0x0a ? '' : '\n'
      const body = line === '' ? batch.bytes : Buffer.concat([batch.bytes, Buffer.from(gap + line)])
      try {
        await client.ask({
          method: 'POST',
          path: '/api/v1/kv/batch/write',
          headers: { 'content-type': 'application/x-ndjson' },
          body,
        })
      } catch (error) {
        throw inFile(error, source.name, batch)
      }
      progress.update(source.read(), source.size, window.acknowledged.lines - start.lines)
    }
    const add = (batch: LineBatch) =>
      window.add(batchKeys(batch.bytes), { bytes: batch.endBytes, lines: batch.endLines }, () => send(batch))

    try {
      for await (const chunk of source.chunks) for (const batch of batcher.push(chunk)) await add(batch)
      for (const batch of batcher.finish()) await add(batch)
      await window.settle()
    } catch (error) {
      await window.settle().catch(() => {})
      throw interrupted(error, source.name, window.acknowledged, checkpoint !== undefined)
    } finally {
      progress.stop()
    }
    if (checkpoint !== undefined) await deleteCheckpoint(client, checkpoint)

    const { bytes, lines } = window.acknowledged
    const records = lines - start.lines
    const secondsTaken = (clock() - started) / 1000
    const perSecond = Math.round(records / secondsTaken)
    if (config.text('output') === 'table')
      out.write(
        `imported ${records.toLocaleString('en-US')} records (${bytesText(bytes - start.bytes)}) in ${secondsTaken.toFixed(2)} s: ${perSecond.toLocaleString('en-US')} records/s\n`,
      )
    else
      out.write(
        `${JSON.stringify({ records, bytes: bytes - start.bytes, resumedAfter: start.lines, seconds: secondsTaken, recordsPerSecond: perSecond })}\n`,
      )
    return exitCode.ok
  } finally {
    client.close()
  }
}

function interrupted(error: unknown, name: string, { lines }: Mark, resumable: boolean): CliError {
  const reason = error instanceof Error ? error.message : String(error)
  const code = error instanceof CliError ? error.exitCode : exitCode.failed
  const stored = `${lines.toLocaleString('en-US')} lines are stored`
  const advice = resumable ? `${stored}; run the same command again to go on from there` : stored
  return new CliError(code, `${error instanceof CliError ? '' : `${name}: `}${reason}\n${advice}`)
}
