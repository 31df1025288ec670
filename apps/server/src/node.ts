import { resolve } from 'node:path'
import { openStore, type Store, type StoreEvent } from '@caskade/engine'
import { bindRefusal } from './bind-policy.js'
import { ConfigError } from './config/config-error.js'
import { isLoopback } from './http/authorization.js'
import { createHttpServer, type HttpServer } from './http/http-server.js'
import { createLogger, type Logger } from './log.js'
import { watchLoopDelay } from './metrics/loop-delay.js'
import { createMetrics } from './metrics/node-metrics.js'
import { notReadyReasons, type ReadinessFacts } from './metrics/readiness.js'
import { type NodeConfig, resolveNodeConfig } from './node-config.js'
import { RespServer } from './resp/resp-server.js'
import { version } from './version.js'

export interface Node {
  readonly config: NodeConfig
  readonly store: Store
  readonly log: Logger
  /** Where it listens: the ports are real ones even where the configuration asked for any. */
  readonly resp: { host: string; port: number }
  readonly http: { host: string; port: number }
  /** Stops taking connections, lets running requests end for at most `drainMs`, closes the store, which flushes it. */
  close(): Promise<void>
  /** Cuts the connections that `close` waits for. */
  hurry(): void
}

/** Starts one node: store, Redis port, HTTP port. Throws `ConfigError` for an unsafe address, and what `openStore` throws. */
export async function startNode(given: Partial<NodeConfig> = {}): Promise<Node> {
  const config = resolveNodeConfig(given)
  const refusal = bindRefusal(config)
  if (refusal !== undefined) throw new ConfigError(refusal)
  const log = createLogger({ level: config.logLevel, file: config.logFile })
  const startedAt = config.clock()
  let phase: ReadinessFacts['phase'] = 'starting'

  const directory = resolve(config.dataDir)
  const store = await openStore(directory, {
    store: config.store,
    durability: config.durability,
    syncIntervalMs: config.syncIntervalMs,
    memtableBytes: config.memtableBytes,
    cacheBytes: config.cacheBytes,
    mmap: config.mmap,
    clock: config.clock,
    onEvent: ({ level, name, details }: StoreEvent) => log[level]({ component: 'store', event: name, ...details }),
  })

  const loopDelay = watchLoopDelay()
  const reasons = () =>
    notReadyReasons({ phase, storeReadOnlyReason: store.stats().readOnlyReason, loopDelayP99Ms: loopDelay.p99Ms })
  const listening: { server: RespServer | HttpServer }[] = []

  // Undoes a start that failed half-way: the lock on the directory must not outlive it.
  async function abandon(error: unknown): Promise<never> {
    loopDelay.stop()
    for (const { server } of listening) await server.close(0)
    await store.close()
    throw error
  }

  try {
    const respLog = log.child({ component: 'resp' })
    const resp = new RespServer({
      store,
      clock: config.clock,
      ...(config.password === undefined ? {} : { password: config.password }),
      valueBytesMax: config.valueBytesMax,
      limits: { clientsMax: config.maxClients },
      onEvent: (level, message, fields) => respLog[level](fields, message),
      info: () => ({ caskade_version: version, data_directory: directory, durability: config.durability }),
    })
    listening.push({ server: resp })
    const http = await createHttpServer({
      store,
      clock: config.clock,
      valueBytesMax: config.valueBytesMax,
      password: config.password,
      loopbackHostOnly: config.password === undefined && isLoopback(config.httpHost),
      version,
      limits: { connectionsMax: config.maxClients, ...config.httpLimits },
      probes: {
        notReadyReasons: reasons,
        async metrics() {
          return { type: metrics.type, text: await metrics.text() }
        },
        status: () => ({
          version,
          pid: process.pid,
          uptimeSeconds: Math.round((config.clock() - startedAt) / 1000),
          ready: reasons().length === 0,
          notReadyReasons: reasons(),
          directory,
          durability: config.durability,
          resp: respAddress,
          http: httpAddress,
          residentMemoryBytes: process.memoryUsage.rss(),
          store: store.stats(),
        }),
      },
      onFailure: (error, request) => log.error({ component: 'http', ...request, err: error }, 'request failed'),
    })
    listening.push({ server: http })
    const metrics = createMetrics({
      version,
      startedAtSeconds: startedAt / 1000,
      http: http.counters,
      httpConnections: http.connections,
      resp,
      stats: () => store.stats(),
      loopDelay,
      ready: () => reasons().length === 0,
    })

    const respAddress = { host: config.respHost, port: (await resp.listen(config.respPort, config.respHost)).port }
    const httpAddress = { host: config.httpHost, port: (await http.listen(config.httpPort, config.httpHost)).port }
    phase = 'running'
    log.info({ event: 'listening', resp: respAddress, http: httpAddress, directory, durability: config.durability })

    let closed: Promise<void> | undefined
    async function close(): Promise<void> {
      phase = 'draining'
      log.info({ event: 'draining', drainMs: config.drainMs })
      await Promise.all([resp.close(config.drainMs), http.close(config.drainMs)])
      loopDelay.stop()
      await store.close()
      log.info({ event: 'stopped' })
    }
    return {
      config,
      store,
      log,
      resp: respAddress,
      http: httpAddress,
      close() {
        closed ??= close()
        return closed
      },
      hurry() {
        for (const { server } of listening)
          server.close(0).catch((error: unknown) => log.error({ event: 'close-failed', err: error }))
      },
    }
  } catch (error) {
    return abandon(error)
  }
}
