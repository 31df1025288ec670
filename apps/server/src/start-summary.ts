import type { StoreStats } from '@caskade/engine'

export interface SummaryFacts {
  version: string
  pid: number
  directory: string
  durability: string
  stats: StoreStats
  resp: { host: string; port: number }
  http: { host: string; port: number }
  passwordSet: boolean
  insecure: boolean
}

const shown = (host: string) => (host.includes(':') ? `[${host}]` : host)
/** An address to connect to, for one to listen on. */
const reachable = (host: string) => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = bytes
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** What a person reads after the start: where things are, and three commands to paste. */
export function startSummary(facts: SummaryFacts): string {
  const { resp, http, stats } = facts
  const base = `http://${shown(reachable(http.host))}:${http.port}`
  const respHost = reachable(resp.host) === '127.0.0.1' ? '' : ` -h ${reachable(resp.host)}`
  const password = facts.passwordSet
    ? { redis: ' --askpass', curl: ' -H "Authorization: Bearer $PASSWORD"', caskade: ' --password-file FILE' }
    : { redis: '', curl: '', caskade: '' }
  const url = base === 'http://127.0.0.1:7380' ? '' : ` --url ${base}`
  const keys =
    stats.keysEstimate === 0
      ? 'empty'
      : `about ${stats.keysEstimate.toLocaleString('en-US')} keys, ${bytesText(stats.diskBytes)}`
  const lines = [
    `Caskade ${facts.version} is ready (process ${facts.pid}).`,
    '',
    `  Redis   ${shown(resp.host)}:${resp.port}`,
    `  HTTP    http://${shown(http.host)}:${http.port}   API: ${base}/openapi.json`,
    `  data    ${facts.directory}   ${keys}, durability ${facts.durability}`,
    ...(facts.insecure && !facts.passwordSet
      ? ['  warning: --insecure: whoever reaches these ports can read and delete everything']
      : []),
    '',
    'Try it:',
    '',
    `  redis-cli${respHost} -p ${resp.port}${password.redis} SET greeting hello`,
    `  curl${password.curl} ${base}/api/v1/kv/greeting`,
    `  npm run -s caskade -- get greeting${url}${password.caskade}`,
    '',
    'Ctrl-C stops it; what was acknowledged stays.',
    '',
  ]
  return lines.join('\n')
}
