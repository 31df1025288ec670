import type { Session } from './session.js'

function flagsOf(session: Session): string {
  return (
    (session.transaction === undefined ? '' : 'x') +
      (session.closeAfterReply ? 'c' : '') +
      (session.noEvict ? 'e' : '') || 'N'
  )
}

/** One line of CLIENT LIST, in Redis's fields; those that mean nothing here are 0. */
export function clientLine(session: Session): string {
  const { link, node } = session
  const now = node.clock()
  const seconds = (since: number) => Math.max(0, Math.floor((now - since) / 1000))
  const query = link.queryBytes()
  const unsent = link.unsentBytes()
  const queued = session.transaction?.bytes ?? 0
  const fields = {
    id: session.id,
    addr: link.address,
    laddr: link.localAddress,
    fd: session.id,
    name: session.name,
    age: seconds(session.createdAt),
    idle: Math.floor((node.monotonic() - session.lastSeenAt) / 1000),
    flags: flagsOf(session),
    db: 0,
    sub: 0,
    psub: 0,
    ssub: 0,
    multi: session.transaction?.queue.length ?? -1,
    qbuf: query,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': queued,
    rbs: 0,
    rbp: 0,
    obl: 0,
    oll: unsent === 0 ? 0 : 1,
    omem: unsent,
    'tot-mem': query + unsent + queued + session.watchedBytes,
    events: 'r',
    cmd: session.lastCommand?.fullName ?? 'NULL',
    user: 'default',
    redir: -1,
    resp: session.protocol,
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion,
  }
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
