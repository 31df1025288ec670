import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { JsonScanner } from '../json/json-scanner.js'
import { valueTag } from '../value-tag.js'
import { preferredType } from './accept.js'
import { checkConditions, headerConditions } from './condition.js'
import { HttpError } from './http-error.js'
import { acknowledged, bytesType, jsonType, type KvContext, versionOf } from './kv-context.js'
import {
  answers,
  ConditionHeaders,
  DeletedAnswer,
  KeyParams,
  NoQuery,
  PutBody,
  PutQuery,
  RecordAnswer,
  WrittenAnswer,
} from './kv-schema.js'
import { revealKey } from './percent-bytes.js'
import { pushRecordJson } from './record-json.js'
import { checkKeyLength, checkValueLength, expiryOf, readWrite, type Write } from './write-decoder.js'

function keyOf(segment: string): Buffer {
  const key = revealKey(segment)
  checkKeyLength(key.length)
  return key
}

const octets = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }

/** `GET`, `PUT` and `DELETE` of one record. */
export function recordRoutes(context: KvContext): FastifyPluginAsyncTypebox {
  const { store, clock, valueBytesMax } = context

  function readPut(request: FastifyRequest, key: Buffer, ttlSeconds: number | undefined): Write {
    const body = request.body as Buffer | undefined
    const now = clock()
    const queryExpiry = ttlSeconds === undefined ? 0 : expiryOf(ttlSeconds, now)
    if (body === undefined)
      throw new HttpError(
        'CASKADE_UNSUPPORTED_MEDIA_TYPE',
        `PUT takes a body of application/json such as {"value": "hello"}, or of ${bytesType}`,
      )
    const media = request.headers['content-type'] ?? ''
    if (media.startsWith(bytesType)) {
      checkValueLength(body.length, valueBytesMax)
      const tag = valueTag.binary
      return { type: 'put', key, value: body, tag, expiresAt: queryExpiry, writtenAt: now, condition: undefined }
    }
    if (!media.startsWith('application/json'))
      throw new HttpError('CASKADE_UNSUPPORTED_MEDIA_TYPE', `PUT takes application/json or ${bytesType}, not ${media}`)
    const scanner = new JsonScanner(body)
    const write = readWrite(scanner, { valueBytesMax, now }, key)
    scanner.finish()
    if (queryExpiry === 0) return write
    if (write.expiresAt !== 0)
      throw new HttpError('CASKADE_BAD_REQUEST', 'give ttlSeconds in the body or in the query, not both')
    return { ...write, expiresAt: queryExpiry }
  }

  return async (app) => {
    app.get(
      '/api/v1/kv/:key',
      {
        schema: {
          summary: 'Read one record',
          description: `As JSON, or with "Accept: ${bytesType}" its bytes alone. The entity tag is the version.`,
          params: KeyParams,
          headers: ConditionHeaders,
          querystring: NoQuery,
          response: answers(RecordAnswer, [400, 404, 406, 412]),
        },
      },
      async (request, reply) => {
        const key = keyOf(request.params.key)
        const type = preferredType(request.headers.accept, ['application/json', bytesType])
        const entry = store.getEntry(key)
        if (entry === undefined) throw new HttpError('CASKADE_NOT_FOUND', 'there is no record under this key')
        const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers
        checkConditions(headerConditions({ ...(ifMatch !== undefined && { 'if-match': ifMatch }) }), entry.sequence)
        reply.header('etag', `"${entry.sequence}"`).header('vary', 'accept')
        if (ifNoneMatch !== undefined) {
          try {
            checkConditions(headerConditions({ 'if-none-match': ifNoneMatch }), entry.sequence)
          } catch (error) {
            if (error instanceof HttpError && error.code === 'CASKADE_CONDITION_FAILED') return reply.code(304).send()
            throw error
          }
        }
        if (type === bytesType) {
          if (entry.expiresAt !== 0) reply.header('caskade-expires-at', entry.expiresAt)
          if (entry.writtenAt !== 0) reply.header('caskade-timestamp', entry.writtenAt)
          return reply
            .type(bytesType)
            .header('x-content-type-options', 'nosniff')
            .send(Buffer.from(entry.value.buffer, entry.value.byteOffset, entry.value.length))
        }
        const pieces: Buffer[] = []
        pushRecordJson(pieces, entry, true)
        return reply.type(jsonType).send(Buffer.concat(pieces))
      },
    )

    app.put(
      '/api/v1/kv/:key',
      {
        schema: {
          summary: 'Write one record',
          description:
            'With conditions in the body or as If-Match and If-None-Match, checked in one step with the write.',
          params: KeyParams,
          headers: ConditionHeaders,
          querystring: PutQuery,
          body: { content: { 'application/json': { schema: PutBody }, ...octets } },
          response: answers(WrittenAnswer, [400, 412, 413, 415, 503, 507]),
        },
      },
      async (request, reply) => {
        const key = keyOf(request.params.key)
        const conditions = headerConditions(request.headers)
        const write = readPut(request, key, request.query.ttlSeconds)
        if (write.condition !== undefined) conditions.push(write.condition)
        // From here to putSync nothing awaits: the condition still holds when the write happens.
        if (conditions.length > 0) checkConditions(conditions, versionOf(store, key))
        const version = store.putSync(key, write.value, write)
        await acknowledged(store)
        return reply.type(jsonType).header('etag', `"${version}"`).send(`{"success":true,"version":${version}}`)
      },
    )

    app.delete(
      '/api/v1/kv/:key',
      {
        schema: {
          summary: 'Delete one record',
          description: 'Succeeds where there is none; "If-Match: *" makes that a 412.',
          params: KeyParams,
          headers: ConditionHeaders,
          querystring: NoQuery,
          response: answers(DeletedAnswer, [400, 412, 503, 507]),
        },
      },
      async (request, reply) => {
        const key = keyOf(request.params.key)
        const version = versionOf(store, key)
        checkConditions(headerConditions(request.headers), version)
        if (version !== 0) {
          store.deleteSync(key)
          await acknowledged(store)
        }
        return reply.type(jsonType).send('{"success":true}')
      },
    )
  }
}
