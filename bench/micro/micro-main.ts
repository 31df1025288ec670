import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import benny from 'benny'
import { commit, machine } from '../machine.js'
import { saveResults } from '../results-writer.js'
import { textTable } from '../text-table.js'

const usage = `npm run -s bench:micro -- [options]

Runs the *.bench.ts files that lie beside the sources: the cost of single operations on the hot paths.

  --only TEXT   cases whose name contains it
  --json        one JSON object per line instead of the table
  --save        writes bench/results/micro.json
`

/** What a bench file exports: each case prepares and returns the function whose calls are counted. */
interface BenchFile {
  cases: Record<string, () => () => unknown>
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The compiled bench files of every package. They are not part of what is published, so they are found by place. */
function benchFiles(): string[] {
  return ['packages', 'apps']
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name, 'dist')))
    .flatMap((directory) => readdirSync(directory, { recursive: true }).map((path) => join(directory, String(path))))
    .filter((path) => path.endsWith('.bench.js'))
    .toSorted((a, b) => basename(a).localeCompare(basename(b)))
}

interface Line {
  bench: string
  subject: string
  opsPerSec: number
  /** Half the 95 % confidence interval, in percent. */
  margin: number
}

// benny announces each suite on standard output, which is for results.
const print = console.log
console.log = console.error

const lines: Line[] = []
for (const path of benchFiles()) {
  const { cases } = (await import(pathToFileURL(path).href)) as BenchFile
  const chosen = Object.entries(cases).filter(([name]) => name.includes(values.only))
  if (chosen.length === 0) continue
  const { results } = await benny.suite(basename(path), ...chosen.map(([name, prepare]) => benny.add(name, prepare)))
  for (const { name, ops, margin } of results)
    lines.push({ bench: name, subject: 'caskade', opsPerSec: ops, margin: Number(margin.toFixed(1)) })
}

if (values.json) for (const line of lines) print(JSON.stringify(line))
else {
  const { cpu, node } = machine()
  const rows = lines.map(({ bench, opsPerSec, margin }) => [
    bench,
    opsPerSec.toLocaleString('en-US'),
    (1e9 / opsPerSec).toFixed(0),
    `${margin} %`,
  ])
  print(`${cpu}, Node ${node}, commit ${commit()}\n`)
  print(textTable([['', 'ops/s', 'ns/op', '+-'], ...rows]))
}
if (values.save) {
  const command = `npm run -s bench:micro -- ${process.argv.slice(2).join(' ')}`.trim()
  console.error(`saved ${saveResults('micro', { command, settings: { harness: 'benny 3' }, lines })}`)
}
