#!/usr/bin/env -S node --single-threaded-gc
import { main } from '../cli/main.js'

// Whoever reads our output may stop reading (`caskade scan | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await main(
  process.argv.slice(2),
  { out: process.stdout, err: process.stderr, input: process.stdin },
  process.env,
)
