import { redisVersion } from './redis-version.js'
import type { RespNode } from './session.js'

type Fields = Record<string, string | number>

function humanBytes(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'K', 'M', 'G']) {
    if (value < 1024) return unit === 'B' ? `${value}B` : `${value.toFixed(2)}${unit}`
    value /= 1024
  }
  return `${value.toFixed(2)}T`
}

const seconds = (microseconds: number) => (microseconds / 1e6).toFixed(6)

/** Sections by lower-case name, in the order of a full report. */
const sections: Record<string, (node: RespNode) => Fields> = {
  server: (node) => {
    const uptime = Math.max(0, Math.floor((node.clock() - node.startedAt) / 1000))
    return {
      redis_version: redisVersion,
      redis_mode: 'standalone',
      server_name: 'caskade',
      os: `${process.platform} ${process.arch}`,
      arch_bits: 64,
      node_version: process.versions.node,
      process_id: process.pid,
      run_id: node.runId,
      tcp_port: node.port,
      server_time_usec: node.clock() * 1000,
      uptime_in_seconds: uptime,
      uptime_in_days: Math.floor(uptime / 86_400),
    }
  },
  clients: (node) => ({
    connected_clients: node.sessions.size,
    cluster_connections: 0,
    maxclients: node.limits.clientsMax,
    blocked_clients: 0,
    clients_held_bytes: node.heldBytes,
  }),
  memory: (node) => {
    const { rss, heapUsed } = process.memoryUsage()
    const { memoryBytes } = node.store.stats()
    const used = heapUsed + memoryBytes
    return {
      used_memory: used,
      used_memory_human: humanBytes(used),
      used_memory_rss: rss,
      used_memory_rss_human: humanBytes(rss),
      used_memory_store: memoryBytes,
      maxmemory: 0,
      maxmemory_human: '0B',
      maxmemory_policy: 'noeviction',
    }
  },
  persistence: (node) => {
    const { diskBytes, readOnlyReason } = node.store.stats()
    return {
      loading: 0,
      aof_enabled: 1,
      aof_last_write_status: readOnlyReason === undefined ? 'ok' : 'err',
      aof_current_size: diskBytes,
    }
  },
  stats: ({ counters }) => ({
    total_connections_received: counters.connectionsAccepted,
    total_commands_processed: counters.commands,
    total_net_input_bytes: counters.bytesReceived,
    total_net_output_bytes: counters.bytesSent,
    rejected_connections: counters.connectionsRejected,
    evicted_clients: counters.clientsEvicted,
    keyspace_hits: counters.keyspaceHits,
    keyspace_misses: counters.keyspaceMisses,
    total_error_replies: counters.errorReplies,
    total_reads_processed: counters.reads,
    total_writes_processed: counters.writes,
    protocol_errors: counters.protocolErrors,
    auth_failures: counters.authFailures,
  }),
  replication: () => ({ role: 'master', connected_slaves: 0 }),
  cpu: () => {
    const { system, user } = process.cpuUsage()
    return { used_cpu_sys: seconds(system), used_cpu_user: seconds(user) }
  },
  commandstats: ({ commands, statistics }) => {
    const fields: Fields = {}
    for (const { number, fullName } of commands.numbered) {
      const calls = statistics.calls[number]!
      const rejected = statistics.rejected[number]!
      if (calls + rejected === 0) continue
      const usec = statistics.microseconds[number]!
      const perCall = calls === 0 ? 0 : usec / calls
      fields[`cmdstat_${fullName}`] =
        `calls=${calls},usec=${usec},usec_per_call=${perCall.toFixed(2)},rejected_calls=${rejected},failed_calls=${statistics.failed[number]}`
    }
    return fields
  },
  errorstats: ({ errorCounts }) =>
    Object.fromEntries([...errorCounts].map(([code, count]) => [`errorstat_${code}`, `count=${count}`])),
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace: ({ store }): Fields => {
    // An estimate: an exact count walks over all keys, which DBSIZE does.
    const { keysEstimate } = store.stats()
    return keysEstimate === 0 ? {} : { db0: `keys=${keysEstimate},expires=0,avg_ttl=0` }
  },
  caskade: (node) => ({ ...node.info() }),
}

const titles: Record<string, string> = { cpu: 'CPU' }
const onlyOnRequest = ['commandstats']

/** The text of INFO for these section names (any case); none: the default ones. */
export function infoReport(node: RespNode, asked: readonly string[]): string {
  const names = asked.map((name) => name.toLowerCase())
  const all = names.includes('all') || names.includes('everything')
  const usual = names.length === 0 || names.includes('default')
  const parts: string[] = []
  for (const [name, read] of Object.entries(sections)) {
    if (!(all || names.includes(name) || (usual && !onlyOnRequest.includes(name)))) continue
    const title = titles[name] ?? name[0]!.toUpperCase() + name.slice(1)
    const lines = Object.entries(read(node)).map(([field, value]) => `${field}:${value}`.replace(/[\r\n]/g, ' '))
    parts.push([`# ${title}`, ...lines, ''].join('\r\n'))
  }
  return parts.join('\r\n')
}
