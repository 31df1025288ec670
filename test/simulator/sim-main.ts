import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type DeliberateBug, deliberateBugs } from '@caskade/cluster'
import { faultKinds } from './faults/all-faults.js'
import { shrinkPlan } from './plan-shrink.js'
import { isFidelity, planOf, runPlan, type SeedRunOptions, type SeedSummary } from './seed-run.js'
import { seedsRun } from './seeds-run.js'
import { describeHistory, describePlan } from './verdict-report.js'

const usage = `npm run -s sim -- [options]

Runs a whole cluster in one process on a virtual clock, under faults drawn from a seed, and judges what its clients saw.
The same seed gives the same run. The last line is one JSON object; exit code 1 when it counts violations.

  --seeds A..B     seeds to run, default 1..100
  --seed S         one seed
  --trace          with --seed: every frame, fault and event, in order
  --nodes N        nodes of the cluster, 3 to 64, default 10
  --bug NAME       switch on a deliberate bug (again for more): ${Object.keys(deliberateBugs).join(', ')}
  --faults LIST    only these kinds of fault, separated by commas: ${[...faultKinds.keys()].join(', ')}
  --fidelity F     under the nodes: model (maps, the default), or stores of the engine on files that lose power:
                   lsm, bitcask, or engine (either, drawn for each node)
  --threads N      seeds at the same time, default: one per core
  --no-shrink      do not look for the smallest history that fails like the first failing seed
  --json           only the JSON line
`

function fail(message: string): never {
  process.stderr.write(`sim: ${message}\n\n${usage}`)
  process.exit(2)
}

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '1..100' },
        seed: { type: 'string' },
        trace: { type: 'boolean', default: false },
        nodes: { type: 'string', default: '10' },
        bug: { type: 'string', multiple: true, default: [] },
        faults: { type: 'string' },
        fidelity: { type: 'string', default: 'model' },
        threads: { type: 'string', default: String(availableParallelism()) },
        'no-shrink': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return fail((error as Error).message)
  }
})()

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}

const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seed ?? values.seeds)
if (range === null) fail(`a range of seeds is A..B, not ${values.seed ?? values.seeds}`)
const first = Number(range[1])
const last = Number(range[2] ?? range[1])
const nodes = Number(values.nodes)
const threads = Number(values.threads)
if (last < first) fail(`${first}..${last} is no range`)
if (!(Number.isInteger(nodes) && nodes >= 3 && nodes <= 64)) fail(`--nodes is from 3 to 64, not ${values.nodes}`)
if (!(Number.isInteger(threads) && threads >= 1)) fail(`--threads is 1 or more, not ${values.threads}`)
for (const bug of values.bug) if (!Object.hasOwn(deliberateBugs, bug)) fail(`there is no bug ${bug}`)
const faults = values.faults?.split(',').filter((name) => name !== '')
for (const fault of faults ?? []) if (!faultKinds.has(fault)) fail(`there is no fault ${fault}`)

const { fidelity } = values
if (!isFidelity(fidelity)) fail(`--fidelity is model, engine, lsm or bitcask, not ${fidelity}`)

const options: SeedRunOptions = { nodes, cluster: 'caskade', bugs: values.bug as DeliberateBug[], faults, fidelity }
const say = (line: string) => values.json || console.log(line)

function sayOfSeed({ seed, features, violations, counts, traceHash }: SeedSummary): void {
  if (values.json) return
  const injected = Object.entries(counts).filter(([name]) => name.startsWith('fault.'))
  const faults = injected.map(([name, count]) => `${name.slice('fault.'.length)} ${count}`).join(', ')
  const verdict = violations.length === 0 ? 'ok' : `${violations.length} VIOLATIONS`
  say(
    `seed ${seed}: ${verdict}; ${counts.operations} operations; ${faults || 'no faults'}; ${features.filter((name) => name.includes('=')).join(', ')}; ${traceHash}`,
  )
  for (const { checker, message } of violations.slice(0, 3)) say(`  ${checker}: ${message}`)
}

/** The least that still fails, for people to read. */
async function sayShrunk(seed: number): Promise<void> {
  const plan = planOf(seed, options)
  const { violations } = await runPlan(plan, options)
  const checker = violations[0]?.checker
  if (checker === undefined) return
  say(`\nshrinking seed ${seed} as long as ${checker} complains ...`)
  const shrunk = await shrinkPlan(plan, checker, async (each) => (await runPlan(each, options)).violations, 400)
  say(`after ${shrunk.runs} runs:`)
  for (const line of [...describePlan(shrunk.plan), ...describeHistory(await runPlan(shrunk.plan, options))]) say(line)
}

async function main(): Promise<void> {
  if (values.trace && first === last && !values.json) {
    const plan = planOf(first, options)
    for (const line of describePlan(plan)) say(line)
    const verdict = await runPlan(plan, options, (line) => console.log(line))
    for (const line of describeHistory(verdict)) say(line)
  }
  const report = await seedsRun(first, last, threads, options, sayOfSeed)
  const [failing] = report.failingSeeds
  if (failing !== undefined && !values['no-shrink'] && !values.json) await sayShrunk(failing)
  console.log(JSON.stringify({ ...report, nodes }))
  process.exitCode = report.violations === 0 ? 0 : 1
}

await main()
