import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Store } from '@caskade/engine'
import type { Logger } from './log.js'
import { RespCounters } from './resp/resp-counters.js'

export interface RespPort {
  readonly counters: RespCounters
  readonly connections: number
  listen(port: number, host: string): Promise<{ port: number }>
  close(drainMs: number): Promise<void>
}

export interface RespPortOptions {
  store: Store
  clock: () => number
  password: string | undefined
  valueBytesMax: number
  clientsMax: number
  version: string
  directory: string
  log: Logger
}

export function createRespPort(_options: RespPortOptions): RespPort {
  const server = createServer((s) => s.end())
  return {
    counters: new RespCounters(),
    connections: 0,
    async listen(port, host) {
      server.listen(port, host)
      await once(server, 'listening')
      return { port: (server.address() as AddressInfo).port }
    },
    async close() {
      server.close()
    },
  }
}
