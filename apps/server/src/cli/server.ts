import { defaultLogLevel } from '../log.js'
import { startNode } from '../node.js'
import { nodeConfigFrom } from '../node-config.js'
import { startSummary } from '../start-summary.js'
import { onStopSignal } from '../stop-signals.js'
import { version } from '../version.js'
import type { Command } from './command-context.js'
import { exitCode } from './exit-code.js'

export const server: Command = async ({ config, out, err }) => {
  const nodeConfig = await nodeConfigFrom(config, defaultLogLevel(config.has('log-file'), err.isTTY === true))
  // Listening from the start: a signal during a long recovery stops the node after it. The third one always ends it.
  let hurry: (() => void) | undefined
  const stopped = onStopSignal(process, (before) => {
    if (before >= 2) process.exit(exitCode.failed)
    hurry?.()
  })
  const node = await startNode(nodeConfig)
  hurry = () => node.hurry()
  out.write(
    startSummary({
      version,
      pid: process.pid,
      directory: node.store.directory,
      durability: nodeConfig.durability,
      stats: node.store.stats(),
      resp: node.resp,
      http: node.http,
      passwordSet: nodeConfig.password !== undefined,
      insecure: nodeConfig.insecure,
    }),
  )
  await stopped
  out.write('Stopping: running requests end, then everything is flushed. A second signal cuts them off.\n')
  await node.close()
  out.write('Stopped.\n')
  return exitCode.ok
}
