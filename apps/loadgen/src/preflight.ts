import { connect } from 'node:net'
import { CommandBuffer } from './command-buffer.js'
import type { Target } from './connection-run.js'
import type { Driver } from './driver.js'
import { readOperation } from './workload.js'

/** The server cannot be driven; the message says why and what to do. */
export class PreflightError extends Error {}

/** One connection, one read: finds out before fifty connections do that nothing answers, or not in the right protocol. */
export async function preflight(target: Target, protocol: string, driver: Driver, timeoutMs: number): Promise<void> {
  const where = `${target.host}:${target.port}`
  const out = new CommandBuffer()
  let greetings = driver.greet(out)
  driver.read(out, new Float64Array(1), 1)
  const socket = connect({ ...target, noDelay: true })
  const failure = await new Promise<string | undefined>((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    socket.setTimeout(timeoutMs, () => resolve(`${where} did not answer a ${protocol} read within ${timeoutMs} ms`))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(
        `nothing answers at ${where} (${error.code ?? error.message}): start a node (npm start), or name another address with --target HOST:PORT`,
      )
    })
    socket.on('close', () => resolve(`${where} closed the connection without an answer: is this its ${protocol} port?`))
    socket.on('connect', () => socket.write(out.bytes.subarray(0, out.length)))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      let at = 0
      try {
        while (at < received.length) {
          const next = driver.parse(received, at, received.length, readOperation, greetings > 0 ? 0 : 1)
          if (next < 0) break
          at = next
          const { status, errorMessage } = driver.reply
          if (status === 'error') return resolve(`${where} refuses to be read: ${errorMessage}${advice(errorMessage)}`)
          if (greetings-- === 0) return resolve(undefined)
        }
      } catch (error) {
        return resolve(`${where} does not speak ${protocol}: ${(error as Error).message}`)
      }
      received = received.subarray(at)
    })
  })
  socket.destroy()
  if (failure !== undefined) throw new PreflightError(failure)
}

function advice(message: string): string {
  return /NOAUTH|WRONGPASS|unauthor|password/i.test(message) ? ' (pass --password or set CASKADE_PASSWORD)' : ''
}
