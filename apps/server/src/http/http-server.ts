import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { hostName, isLoopback, passwordChecker } from './authorization.js'
import { batchRoutes } from './batch-routes.js'
import { readBody } from './body-reader.js'
import { ByteBudget } from './byte-budget.js'
import { HttpCounters } from './http-counters.js'
import { type ErrorAnswer, errorAnswer, errorBody, errorStatus, HttpError, type HttpErrorCode } from './http-error.js'
import { jsonType, type KvContext } from './kv-context.js'
import { listRoute } from './list-route.js'
import { type NodeProbes, nodeRoutes } from './node-routes.js'
import { hideKeyInPath } from './percent-bytes.js'
import { queryValidator } from './query-validator.js'
import { recordRoutes } from './record-routes.js'

/** Bounds on what one client, and all of them together, can make the node hold. */
export interface HttpLimits {
  headersTimeoutMs: number
  /** For a whole request, its body included. */
  requestTimeoutMs: number
  /** How often the two above are checked. */
  checkIntervalMs: number
  /** A connection that moves no byte for this long is closed. */
  idleTimeoutMs: number
  connectionsMax: number
  /** Request bodies and answers in memory, all connections together. */
  bytesInFlightMax: number
}

export const httpLimits: HttpLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 1000,
  idleTimeoutMs: 60_000,
  connectionsMax: 10_000,
  bytesInFlightMax: 256 * 1024 * 1024,
}

/** Request line and headers, in bytes: Node's default. A longer key goes into the body of a batch. */
const headerBytesMax = 16 * 1024
/** A wrong password is answered after this long. */
const wrongPasswordDelayMs = 100
/** Smaller answers are not worth the accounting. */
const countedAnswerBytes = 64 * 1024

export interface HttpServerOptions extends KvContext {
  password: string | undefined
  /** Refuse requests whose `Host` is no loopback name, so that a web page cannot reach the node through DNS rebinding. */
  loopbackHostOnly: boolean
  version: string
  probes: NodeProbes
  limits?: Partial<HttpLimits>
  /** Told of failures that are not the client's doing. */
  onFailure: (error: unknown, request: { method: string; route: string }) => void
}

export interface HttpServer {
  readonly counters: HttpCounters
  readonly connections: () => Promise<number>
  listen(port: number, host: string): Promise<AddressInfo>
  /** Takes no new request, lets running ones end for `drainMs`, then cuts them. A second call with less time hurries. */
  close(drainMs: number): Promise<void>
}

const routeOf = (request: FastifyRequest) => request.routeOptions.url ?? '(none)'

function rawAnswer(code: HttpErrorCode, message: string): string {
  const body = errorBody({ status: errorStatus[code], code, message, version: undefined })
  return `HTTP/1.1 ${errorStatus[code]} ${code}\r\ncontent-type: ${jsonType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
}

/** Requests that never became one: answered on the bare socket, which is then closed. */
function clientErrorAnswer(error: { code?: string; message: string }): string {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return rawAnswer(
        'CASKADE_HEADERS_TOO_LARGE',
        `request line and headers have at most ${headerBytesMax} bytes: a longer key goes into the body of POST /api/v1/kv/batch or batch/write`,
      )
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return rawAnswer('CASKADE_TIMEOUT', 'the request took too long to arrive')
    default:
      return rawAnswer('CASKADE_BAD_REQUEST', 'this is not a well-formed HTTP/1.1 request')
  }
}

export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...httpLimits, ...options.limits }
  const counters = new HttpCounters()
  const budget = new ByteBudget(limits.bytesInFlightMax)
  const checkPassword = options.password === undefined ? undefined : passwordChecker(options.password)
  // A value in base64, and room for a long key or the rest of a batch.
  const jsonBytesMax = Math.ceil(options.valueBytesMax / 3) * 4 + 1024 * 1024
  let closing = false

  const app = fastify({
    bodyLimit: jsonBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    http: {
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: headerBytesMax,
      insecureHTTPParser: false,
    },
    routerOptions: {
      // A hidden key of the longest URL that Node lets in.
      maxParamLength: 2 * headerBytesMax,
      // Read by the validator: a parser that throws here would end the process.
      querystringParser: (text) => ({ text }),
    },
    rewriteUrl: (request) => hideKeyInPath(request.url ?? '/', request.method !== 'POST'),
    clientErrorHandler(error, socket) {
      counters.clientErrors++
      if (socket.writable && error.code !== 'ECONNRESET') socket.end(clientErrorAnswer(error))
      socket.destroySoon()
    },
    frameworkErrors(error, _request, reply: FastifyReply) {
      const answer = errorAnswer(error)
      void reply.code(answer.status).type(jsonType).send(errorBody(answer))
    },
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'querystring' ? queryValidator(schema as TSchema) : (value) => ({ value }),
  )
  // Answers are text and bytes already.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))

  app.removeAllContentTypeParsers()
  const charged = new WeakMap<IncomingMessage, number>()
  const charge = (request: IncomingMessage, bytes: number) => charged.set(request, (charged.get(request) ?? 0) + bytes)
  for (const [type, bytesMax] of [
    ['application/json', jsonBytesMax],
    ['application/x-ndjson', jsonBytesMax],
    ['application/octet-stream', options.valueBytesMax],
  ] as const)
    app.addContentTypeParser(type, async (request: FastifyRequest, payload: IncomingMessage) => {
      const body = await readBody(payload, bytesMax, budget, (bytes) => charge(request.raw, bytes))
      if (type !== 'application/octet-stream' && !isUtf8(body))
        throw new HttpError(
          'CASKADE_INVALID_JSON',
          'the body is not UTF-8: bytes go into base64, or an application/octet-stream body',
        )
      return body
    })

  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      const bytes = charged.get(request.raw)
      if (bytes !== undefined) budget.give(bytes)
    })
    if (closing) throw new HttpError('CASKADE_CLOSED', 'the node is stopping: try another, or again in a moment')
    const local = isLoopback(request.socket.remoteAddress ?? '')
    if (options.loopbackHostOnly && !isLoopback(hostName(request.headers.host ?? '')))
      throw new HttpError(
        'CASKADE_FORBIDDEN_HOST',
        'a node without a password answers only to localhost, 127.0.0.1 and [::1] as its name',
      )
    const open = request.routeOptions.config as { openOnLoopback?: boolean }
    if (checkPassword === undefined || (open.openOnLoopback === true && local)) return
    if (checkPassword(request.headers.authorization)) return
    if (request.headers.authorization !== undefined) await sleep(wrongPasswordDelayMs)
    reply.header('www-authenticate', 'Bearer realm="caskade", Basic realm="caskade", charset="UTF-8"')
    throw new HttpError(
      'CASKADE_UNAUTHORIZED',
      'this node asks for its password: "Authorization: Bearer <password>", or Basic with any user name',
    )
  })

  app.addHook('onSend', async (request, reply, payload) => {
    // The rest of a refused body is not waited for, nor is another request while the node stops.
    if (closing || !request.raw.complete) reply.header('connection', 'close')
    const bytes = Buffer.isBuffer(payload) ? payload.length : 0
    if (bytes < countedAnswerBytes) return payload
    if (budget.take(bytes)) {
      charge(request.raw, bytes)
      return payload
    }
    const answer: ErrorAnswer = {
      status: 503,
      code: 'CASKADE_OVERLOADED',
      message: 'the node holds as many answer bytes as it may: read answers faster, or try again in a moment',
      version: undefined,
    }
    reply.code(answer.status).type(jsonType).removeHeader('content-length')
    return errorBody(answer)
  })

  app.addHook('onResponse', async (request, reply) => {
    counters.add(request.method, routeOf(request), reply.statusCode, reply.elapsedTime / 1000)
  })

  app.setErrorHandler((error, request, reply) => {
    const answer = errorAnswer(error)
    if (answer.status >= 500 && answer.code !== 'CASKADE_OVERLOADED' && answer.code !== 'CASKADE_CLOSED')
      options.onFailure(error, { method: request.method, route: routeOf(request) })
    if (answer.code === 'CASKADE_OVERLOADED') reply.header('retry-after', '1')
    if (answer.version !== undefined && answer.version !== 0) reply.header('etag', `"${answer.version}"`)
    return reply.code(answer.status).type(jsonType).send(errorBody(answer))
  })

  const routes: { pattern: string; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: url, methods: [method].flat() })
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*/s, '')
    const matches = routes.filter(({ pattern }) =>
      pattern.endsWith('/:key') ? path.startsWith(pattern.slice(0, -4)) : path === pattern,
    )
    if (matches.length === 0)
      throw new HttpError('CASKADE_NO_ROUTE', 'there is nothing at this path: /openapi.json lists what there is')
    const allowed = [...new Set(matches.flatMap(({ methods }) => methods))].sort().join(', ')
    reply.header('allow', allowed)
    throw new HttpError('CASKADE_METHOD_NOT_ALLOWED', `this path takes ${allowed}, not ${request.method}`)
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Caskade',
        version: options.version,
        description: 'Key-value records over HTTP. The same records are on the Redis port.',
      },
      ...(checkPassword === undefined
        ? {}
        : {
            components: {
              securitySchemes: {
                bearer: { type: 'http' as const, scheme: 'bearer' },
                basic: { type: 'http' as const, scheme: 'basic' },
              },
            },
            security: [{ bearer: [] }, { basic: [] }],
          }),
    },
  })
  await app.register(recordRoutes(options))
  await app.register(batchRoutes(options))
  await app.register(listRoute(options))
  await app.register(nodeRoutes(options.probes))
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(jsonType).send(JSON.stringify(app.swagger())),
  )
  await app.ready()

  const server = app.server as Server
  server.maxConnections = limits.connectionsMax
  server.on('drop', () => counters.connectionsDropped++)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  let closed: Promise<void> | undefined
  return {
    counters,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
      }),
    async listen(port, host) {
      server.listen(port, host)
      await once(server, 'listening')
      // Accepting may fail later (EMFILE): the connections that are open go on.
      server.on('error', (error) => options.onFailure(error, { method: '-', route: '-' }))
      return server.address() as AddressInfo
    },
    async close(drainMs) {
      closing = true
      const cut = setTimeout(() => server.closeAllConnections(), drainMs)
      // Node takes a connection that never sent a byte for a busy one.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      closed ??= app.close()
      await closed
      clearTimeout(cut)
    },
  }
}
