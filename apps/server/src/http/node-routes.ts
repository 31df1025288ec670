import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type TSchema, Type } from 'typebox'
import { jsonType } from './kv-context.js'

/** What the node tells of itself. */
export interface NodeProbes {
  /** Why it should get no work; empty: it is ready. */
  notReadyReasons(): string[]
  metrics(): Promise<{ type: string; text: string }>
  status(): object
}

/** `/livez`, `/readyz`, `/metrics` and `/api/v1/status`. */
export function nodeRoutes(probes: NodeProbes): FastifyPluginAsyncTypebox {
  return async (app) => {
    const config = { openOnLoopback: true }
    const Health = Type.Object({ status: Type.String(), reasons: Type.Optional(Type.Array(Type.String())) })
    const alive: Record<number, TSchema> = { 200: Health }
    const health: Record<number, TSchema> = { 200: Health, 503: Health }
    const status: Record<number, TSchema> = { 200: Type.Object({}, { additionalProperties: true }) }

    app.get(
      '/livez',
      { config, schema: { summary: 'The process answers', response: alive } },
      async (_request, reply) => reply.type(jsonType).header('cache-control', 'no-store').send('{"status":"alive"}'),
    )

    app.get(
      '/readyz',
      { config, schema: { summary: 'The node should get work; 503 with reasons where not', response: health } },
      async (_request, reply) => {
        const reasons = probes.notReadyReasons()
        const ready = reasons.length === 0
        return reply
          .code(ready ? 200 : 503)
          .type(jsonType)
          .header('cache-control', 'no-store')
          .send(JSON.stringify(ready ? { status: 'ready' } : { status: 'not ready', reasons }))
      },
    )

    app.get('/metrics', { config, schema: { hide: true } }, async (_request, reply) => {
      const { type, text } = await probes.metrics()
      return reply.type(type).send(text)
    })

    app.get(
      '/api/v1/status',
      { schema: { summary: 'What runs here and how it is', response: status } },
      async (_request, reply) => reply.type(jsonType).send(JSON.stringify(probes.status())),
    )
  }
}
