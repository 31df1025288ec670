import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Node, startNode } from './node.js'
import type { NodeConfig } from './node-config.js'

/** A directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'caskade-server-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export interface TestNode {
  node: Node
  url: string
}

/** A real node on free ports over a directory of its own; both go away with the test. */
export async function testNode(config: Partial<NodeConfig> = {}): Promise<TestNode> {
  const node = await startNode({
    dataDir: config.dataDir ?? (await temporaryDirectory()),
    respPort: 0,
    httpPort: 0,
    drainMs: 500,
    ...config,
  })
  onTestFinished(() => node.close())
  return { node, url: `http://127.0.0.1:${node.http.port}` }
}

/** Sends bytes as they are and resolves to everything that comes back until the other side closes. */
export function rawExchange(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const received: Buffer[] = []
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece)
    })
    socket.on('data', (chunk) => received.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The other side may cut while we still send: what it said before counts.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')))
  })
}
