import type { ScanOptions } from '@caskade/engine'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { preferredType } from './accept.js'
import { jsonType, type KvContext, ndjsonType } from './kv-context.js'
import { answers, ListAnswer, ListQuery, listLimitDefault, pageBytesMax } from './kv-schema.js'
import { decodeCursor, encodeCursor } from './list-cursor.js'
import { pushRecordJson, pushRecordLine } from './record-json.js'

/** `GET /api/v1/kv`: records in key order, page by page. */
export function listRoute({ store }: KvContext): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/v1/kv',
      {
        schema: {
          summary: 'List records in key order',
          description: `A page ends after "limit" records or about ${pageBytesMax} bytes. With "Accept: application/x-ndjson" one record a line, as exports have them, and the cursor in the header caskade-cursor. Pages are read one by one: a listing is not a snapshot.`,
          querystring: ListQuery,
          response: answers(ListAnswer, [400, 406]),
        },
      },
      async (request, reply) => {
        const { prefix, limit = listLimitDefault, cursor, values = true } = request.query
        const type = preferredType(request.headers.accept, ['application/json', 'application/x-ndjson'])
        const lines = type === 'application/x-ndjson'
        const scan: ScanOptions = { limit: limit + 1, keysOnly: !values }
        if (prefix !== undefined) scan.prefix = Buffer.from(prefix, 'latin1')
        if (cursor !== undefined) scan.after = decodeCursor(cursor)

        const pieces: Buffer[] = lines ? [] : [Buffer.from('{"items":[')]
        let count = 0
        let bytes = 0
        let lastKey: Uint8Array | undefined
        let more = false
        for (const entry of store.scan(scan)) {
          if (count === limit || bytes >= pageBytesMax) {
            more = true
            break
          }
          if (lines) pushRecordLine(pieces, entry, values)
          else {
            if (count > 0) pieces.push(Buffer.from(','))
            pushRecordJson(pieces, entry, values)
          }
          count++
          bytes += entry.key.length + entry.value.length
          lastKey = entry.key
        }
        const next = more && lastKey !== undefined ? encodeCursor(lastKey) : undefined
        reply.header('vary', 'accept')
        if (lines) {
          if (next !== undefined) reply.header('caskade-cursor', next)
          return reply.type(ndjsonType).send(Buffer.concat(pieces))
        }
        pieces.push(Buffer.from(next === undefined ? ']}' : `],"cursor":"${next}"}`))
        return reply.type(jsonType).send(Buffer.concat(pieces))
      },
    )
  }
}
