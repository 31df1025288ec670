/** The parts of `process` that stopping needs. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/**
 * Resolves on the first SIGTERM or SIGINT; each later one calls `again` with how many came before it, so that an impatient
 * operator is heard while the node drains. SIGHUP keeps its default: the terminal is gone.
 */
export function onStopSignal(source: SignalSource, again: (before: number) => void): Promise<void> {
  return new Promise((resolve) => {
    let count = 0
    const listener = () => {
      if (count++ === 0) resolve()
      else again(count - 1)
    }
    source.on('SIGTERM', listener)
    source.on('SIGINT', listener)
  })
}
