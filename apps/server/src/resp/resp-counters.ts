/** Totals since the start, or since CONFIG RESETSTAT. Plain numbers: metrics read them when asked. */
export class RespCounters {
  connectionsAccepted = 0
  connectionsRejected = 0
  commands = 0
  bytesReceived = 0
  bytesSent = 0
  reads = 0
  writes = 0
  errorReplies = 0
  protocolErrors = 0
  authFailures = 0
  keyspaceHits = 0
  keyspaceMisses = 0
  slowReadersCut = 0
  unfinishedFramesCut = 0
  idleClosed = 0
  /** Cut because all clients together held too much. */
  clientsEvicted = 0

  reset(): void {
    for (const name of Object.keys(this) as (keyof this)[]) {
      if (typeof this[name] === 'number') (this[name] as number) = 0
    }
  }
}
