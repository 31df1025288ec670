import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { percentEncode } from '../http/percent-bytes.js'
import type { Mark } from './import-window.js'
import type { NodeClient } from './node-client.js'

/**
 * How far an import came, kept as a record of the store itself, `caskade/import/<fingerprint>`, written in the same atomic
 * batch as the records it speaks of and deleted at the end. So it cannot disagree with the data: not after a crash of
 * either side, nor when the data directory is another one. (A file beside the input could.)
 */
export const checkpointPrefix = 'caskade/import/'

const sampleBytes = 64 * 1024

/** Names an input by size, time of change, start and end: a changed file starts anew, which is slower but never wrong. */
export async function fingerprint(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size, mtimeMs } = await file.stat()
    const hash = createHash('sha256').update(`${size} ${mtimeMs} `)
    for (const position of [0, Math.max(0, size - sampleBytes)]) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(sampleBytes), 0, sampleBytes, position)
      hash.update(buffer.subarray(0, bytesRead))
    }
    return hash.digest('hex').slice(0, 16)
  } finally {
    await file.close()
  }
}

export const checkpointLine = (key: string, { bytes, lines }: Mark): string =>
  `${JSON.stringify({ key, value: { bytes, lines } })}\n`

export async function readCheckpoint(client: NodeClient, key: string): Promise<Mark | undefined> {
  const { status, body } = await client.ask({ path: `/api/v1/kv/${percentEncode(Buffer.from(key))}`, accept: [404] })
  if (status === 404) return undefined
  const { value } = JSON.parse(body.toString()) as { value: Partial<Mark> | null }
  const { bytes, lines } = value ?? {}
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 0
  return isCount(bytes) && isCount(lines) ? { bytes: bytes!, lines: lines! } : undefined
}

export async function deleteCheckpoint(client: NodeClient, key: string): Promise<void> {
  await client.ask({ method: 'DELETE', path: `/api/v1/kv/${percentEncode(Buffer.from(key))}` })
}
