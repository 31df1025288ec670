import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { RespReader } from './resp-reader.js'

/** What a lying server says instead of the truth: the stored value. */
export type Lie = (key: string, truth: Buffer | undefined) => Buffer | undefined

export interface TestServer extends AsyncDisposable {
  port: number
  store: Map<string, Buffer>
  lie: Lie | undefined
  /** Writes are answered with this instead of being done. */
  refusal: string | undefined
  /** Ranges come back empty. */
  hidden: boolean
  /** Answers are held back until this resolves. */
  stall: Promise<void> | undefined
  /** Cuts all connections; a new server on the same port may follow. */
  close: () => Promise<void>
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function closing(server: Server, sockets: Set<Socket>): () => Promise<void> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  return async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
}

/** GET, MGET, SET and AUTH on a real socket, from a Map; can be told to lie and to stall. */
export async function respTestServer(port = 0, store = new Map<string, Buffer>()): Promise<TestServer> {
  const server = createServer({ noDelay: true }, (socket) => {
    let received: Buffer = Buffer.alloc(0)
    let tail = Promise.resolve()
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const replies: Buffer[] = []
      try {
        for (let command = takeCommand(received); command !== undefined; command = takeCommand(received)) {
          received = received.subarray(command.end)
          replies.push(answer(command.parts))
        }
      } catch {
        replies.push(Buffer.from('-ERR Protocol error\r\n'))
        received = Buffer.alloc(0)
      }
      const { stall } = self
      tail = tail.then(async () => {
        await stall
        socket.write(Buffer.concat(replies))
      })
    })
  })
  const bulk = (value: Buffer | undefined) =>
    value === undefined
      ? Buffer.from('$-1\r\n')
      : Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')])
  const get = (key: Buffer) => {
    const truth = store.get(key.toString())
    return bulk(self.lie === undefined ? truth : self.lie(key.toString(), truth))
  }
  const answer = ([name, ...rest]: Buffer[]): Buffer => {
    if (name!.toString() === 'GET') return get(rest[0]!)
    if (name!.toString() === 'MGET') return Buffer.concat([Buffer.from(`*${rest.length}\r\n`), ...rest.map(get)])
    if (name!.toString() === 'SET') {
      if (self.refusal !== undefined) return Buffer.from(`-${self.refusal}\r\n`)
      store.set(rest[0]!.toString(), Buffer.from(rest[1]!))
    }
    return Buffer.from('+OK\r\n')
  }
  const close = closing(server, new Set())
  const self: TestServer = {
    port: await listen(server, port),
    store,
    lie: undefined,
    refusal: undefined,
    hidden: false,
    stall: undefined,
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}

function takeCommand(bytes: Buffer): { parts: Buffer[]; end: number } | undefined {
  const reader = new RespReader()
  let at = reader.next(bytes, 0, bytes.length)
  if (at < 0) return undefined
  const parts: Buffer[] = []
  for (let left = reader.integer; left > 0; left--) {
    at = reader.next(bytes, at, bytes.length)
    if (at < 0) return undefined
    parts.push(bytes.subarray(reader.start, reader.end))
  }
  return { parts, end: at }
}

/** The HTTP API's shape on node:http, from a Map. */
export async function httpTestServer(): Promise<TestServer> {
  const store = new Map<string, Buffer>()
  const told = (key: string) => {
    const truth = store.get(key)
    return self.lie === undefined ? truth : self.lie(key, truth)
  }
  const item = (key: string, value: Buffer | undefined) => ({ key, value: value?.toString('latin1'), version: 1 })
  const answer = async (request: IncomingMessage): Promise<[status: number, body: unknown]> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = () => JSON.parse(Buffer.concat(chunks).toString())
    const url = new URL(request.url!, 'http://test')
    if (url.pathname === '/api/v1/kv/batch') {
      const found = (body().keys as string[]).filter((key) => told(key) !== undefined)
      return [200, { items: found.map((key) => item(key, told(key))) }]
    }
    if (url.pathname === '/api/v1/kv') {
      const prefix = url.searchParams.get('prefix')!
      const keys = self.hidden ? [] : [...store.keys()].filter((key) => key.startsWith(prefix)).sort()
      return [200, { items: keys.slice(0, Number(url.searchParams.get('limit'))).map((key) => item(key, told(key))) }]
    }
    const key = decodeURIComponent(url.pathname.slice('/api/v1/kv/'.length))
    if (request.method === 'PUT') {
      if (self.refusal !== undefined) return [503, { error: self.refusal }]
      store.set(key, Buffer.from(body().value, 'latin1'))
      return [200, { success: true, version: 1 }]
    }
    const value = told(key)
    return value === undefined ? [404, { error: 'no such key' }] : [200, item(key, value)]
  }
  const server = createHttpServer(async (request: IncomingMessage, response: ServerResponse) => {
    const [status, body] = await answer(request)
    await self.stall
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  const close = closing(server, new Set())
  const self: TestServer = {
    port: await listen(server, 0),
    store,
    lie: undefined,
    refusal: undefined,
    hidden: false,
    stall: undefined,
    close,
    [Symbol.asyncDispose]: close,
  }
  return self
}
