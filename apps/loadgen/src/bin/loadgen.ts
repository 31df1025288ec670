#!/usr/bin/env node
import pc from 'picocolors'
import { loadgenMain } from '../loadgen-cli.js'

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not wait for what is in flight.
    if (interrupt.signal.aborted) process.exit(130)
    interrupt.abort()
  })
}
process.exitCode = await loadgenMain(
  process.argv.slice(2),
  { out: (text) => console.log(text), note: (text) => console.error(text), paint: pc },
  interrupt.signal,
)
