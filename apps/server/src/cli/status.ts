import { bytesText } from '../start-summary.js'
import type { Command } from './command-context.js'
import { exitCode } from './exit-code.js'
import { NodeClient } from './node-client.js'
import { Table } from './table.js'

interface Status {
  version: string
  pid: number
  uptimeSeconds: number
  ready: boolean
  notReadyReasons: string[]
  directory: string
  durability: string
  resp: { host: string; port: number }
  http: { host: string; port: number }
  residentMemoryBytes: number
  store: { sequence: number; keysEstimate: number; diskBytes: number; memoryBytes: number; readOnlyReason?: string }
}

function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const clock = new Date((seconds % 86_400) * 1000).toISOString().slice(11, 19)
  return days === 0 ? clock : `${days} d ${clock}`
}

export const status: Command = async ({ config, out }) => {
  const client = await NodeClient.from(config)
  try {
    const { body } = await client.ask({ path: '/api/v1/status' })
    const found = JSON.parse(body.toString()) as Status
    if (config.text('output') !== 'table') out.write(`${body}\n`)
    else {
      const count = (value: number) => value.toLocaleString('en-US')
      const table = new Table([{ title: '' }, { title: '' }], Number.POSITIVE_INFINITY)
      out.write(
        table.rows([
          ['state', found.ready ? 'ready' : `not ready: ${found.notReadyReasons.join('; ')}`],
          ['version', found.version],
          ['process', String(found.pid)],
          ['up', uptime(found.uptimeSeconds)],
          ['Redis', `${found.resp.host}:${found.resp.port}`],
          ['HTTP', `${found.http.host}:${found.http.port}`],
          ['data', found.directory],
          ['durability', found.durability],
          ['keys', `about ${count(found.store.keysEstimate)}`],
          ['writes', count(found.store.sequence)],
          ['disk', bytesText(found.store.diskBytes)],
          ['memory', `${bytesText(found.residentMemoryBytes)}, of which store ${bytesText(found.store.memoryBytes)}`],
        ]),
      )
    }
    return found.ready ? exitCode.ok : exitCode.failed
  } finally {
    client.close()
  }
}
