import type { BatchOperation } from '@caskade/engine'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JsonScanner, JsonSyntaxError } from '../json/json-scanner.js'
import { checkConditions } from './condition.js'
import { HttpError } from './http-error.js'
import { acknowledged, jsonType, type KvContext, versionOf } from './kv-context.js'
import {
  answerBytesMax,
  answers,
  BatchAnswer,
  BatchBody,
  BatchWrittenAnswer,
  batchKeysMax,
  batchOperationsMax,
  NoQuery,
  Operation,
  WriteBody,
} from './kv-schema.js'
import { keyJson, pushRecordJson } from './record-json.js'
import { type DecoderLimits, readKey, readWrite, type Write } from './write-decoder.js'

function atMost(count: number, max: number, what: string): void {
  if (count > max) throw new HttpError('CASKADE_TOO_LARGE', `one request takes at most ${max} ${what}: split it`)
}

/** Reads an object whose only member is the array `name`. */
function readArray(body: Buffer, name: string, element: (scanner: JsonScanner) => void): void {
  const scanner = new JsonScanner(body)
  let seen = false
  scanner.object((found) => {
    if (found !== name || seen)
      throw new HttpError(
        'CASKADE_BAD_REQUEST',
        `the body is {"${name}": […]}, and has no other member ${JSON.stringify(found)}`,
      )
    seen = true
    scanner.array(() => element(scanner))
  })
  scanner.finish()
  if (!seen) throw new HttpError('CASKADE_BAD_REQUEST', `the body is {"${name}": […]}`)
}

function readLines(body: Buffer, line: (scanner: JsonScanner) => void): void {
  for (let start = 0, number = 1; start < body.length; number++) {
    const found = body.indexOf(0x0a, start)
    const end = found === -1 ? body.length : found
    const scanner = new JsonScanner(body, start, end)
    try {
      if (scanner.peek() !== -1) {
        line(scanner)
        scanner.finish()
      }
    } catch (error) {
      if (error instanceof JsonSyntaxError)
        throw new HttpError(error.code, `line ${number} of the body: ${error.message}`)
      if (error instanceof HttpError) throw new HttpError(error.code, `line ${number} of the body: ${error.message}`)
      throw error
    }
    start = end + 1
  }
}

function readWrites(body: Buffer, media: string, limits: DecoderLimits): Write[] {
  const writes: Write[] = []
  const operation = (scanner: JsonScanner) => {
    atMost(writes.length + 1, batchOperationsMax, 'operations')
    writes.push(readWrite(scanner, limits))
  }
  if (media.startsWith('application/x-ndjson')) readLines(body, operation)
  else readArray(body, 'operations', operation)
  return writes
}

/** Many records in one request: `batch` reads, `batch/write` writes all or nothing. */
export function batchRoutes({ store, clock, valueBytesMax }: KvContext): FastifyPluginAsyncTypebox {
  const bodyOf = (body: unknown, media: string, types: readonly string[]): Buffer => {
    if (Buffer.isBuffer(body) && types.some((type) => media.startsWith(type))) return body
    throw new HttpError(
      'CASKADE_UNSUPPORTED_MEDIA_TYPE',
      `this takes a body of ${types.join(' or ')}, not ${media || 'none'}`,
    )
  }

  return async (app) => {
    app.post(
      '/api/v1/kv/batch',
      {
        schema: {
          summary: 'Read many records',
          description: `Up to ${batchKeysMax} keys, and ${answerBytesMax} bytes of values.`,
          querystring: NoQuery,
          body: { content: { 'application/json': { schema: BatchBody } } },
          response: answers(BatchAnswer, [400, 413, 415]),
        },
      },
      async (request, reply) => {
        const body = bodyOf(request.body, request.headers['content-type'] ?? '', ['application/json'])
        const keys: Buffer[] = []
        readArray(body, 'keys', (scanner) => {
          atMost(keys.length + 1, batchKeysMax, 'keys')
          keys.push(readKey(scanner))
        })
        const pieces: Buffer[] = [Buffer.from('{"items":[')]
        let bytes = 0
        for (const [index, key] of keys.entries()) {
          const entry = store.getEntry(key)
          if (index > 0) pieces.push(Buffer.from(','))
          if (entry === undefined) pieces.push(Buffer.from(`{"found":false,"key":${keyJson(key)}}`))
          else {
            bytes += entry.value.length
            if (bytes > answerBytesMax)
              throw new HttpError(
                'CASKADE_TOO_LARGE',
                `these values are more than ${answerBytesMax} bytes together: ask for fewer keys`,
              )
            const at = pieces.length
            pushRecordJson(pieces, entry, true)
            pieces[at] = Buffer.from(`{"found":true,${pieces[at]!.toString('utf8', 1)}`)
          }
        }
        pieces.push(Buffer.from(']}'))
        return reply.type(jsonType).send(Buffer.concat(pieces))
      },
    )

    app.post(
      '/api/v1/kv/batch/write',
      {
        schema: {
          summary: 'Write many records, all or nothing',
          description: `Up to ${batchOperationsMax} operations, in order; a later one on the same key wins. Conditions are checked against the state before the batch. As application/x-ndjson: one operation a line, the form that exports have. Versions of the operations are consecutive; the answer has the last one.`,
          querystring: NoQuery,
          body: {
            content: { 'application/json': { schema: WriteBody }, 'application/x-ndjson': { schema: Operation } },
          },
          response: answers(BatchWrittenAnswer, [400, 412, 413, 415, 503, 507]),
        },
      },
      async (request, reply) => {
        const media = request.headers['content-type'] ?? ''
        const body = bodyOf(request.body, media, ['application/json', 'application/x-ndjson'])
        const writes = readWrites(body, media, { valueBytesMax, now: clock() })
        // From here to writeSync nothing awaits: the conditions still hold when the batch happens.
        for (const [index, write] of writes.entries())
          if (write.condition !== undefined)
            checkConditions([write.condition], versionOf(store, write.key), `the key of operation ${index}`)
        const version = store.writeSync(writes satisfies readonly BatchOperation[])
        await acknowledged(store)
        return reply.type(jsonType).send(`{"success":true,"count":${writes.length},"version":${version}}`)
      },
    )
  }
}
