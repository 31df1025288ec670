import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commit, machine } from './machine.js'

/** Absolute path of bench/results; this file is compiled to bench/dist. */
const resultsDirectory = fileURLToPath(new URL('../results', import.meta.url))

export interface Results {
  command: string
  /** What was measured against what, as the report prints it. */
  settings: Record<string, unknown>
  /** The objects that `--json` prints, one each line. */
  lines: readonly object[]
}

/** Writes `bench/results/NAME.json` and returns its path. */
export function saveResults(name: string, { command, settings, lines }: Results): string {
  mkdirSync(resultsDirectory, { recursive: true })
  const path = join(resultsDirectory, `${name}.json`)
  const head = { command, commit: commit(), date: new Date().toISOString(), machine: machine(), settings }
  const body = lines.map((line) => `    ${JSON.stringify(line)}`).join(',\n')
  writeFileSync(path, `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "lines": [\n${body}\n  ]\n}\n`)
  return path
}
