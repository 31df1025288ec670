// `npm test`: installs what the lockfile says, builds, checks and runs every test, also on a fresh clone.
// The last line is `N passed, N failed`, counting tests and the checks before them (build, lint, knip, packages).
import './node-version.mjs'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { checkPacked } from './packed.mjs'
import { pnpmCommand, root, status } from './pnpm.mjs'
import { install } from './prepare.mjs'

const checks = []

function check(name, run) {
  console.log(`\n--- ${name}`)
  const startedAt = performance.now()
  const failed = run()
  checks.push({ name, failed: typeof failed === 'number' ? failed !== 0 : failed.length > 0, details: failed })
  console.log(`--- ${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}

const tool = (args) => status(...pnpmCommand(['exec', ...args]))

/** Counts of a vitest JSON report. A suite that fails to load has no tests of its own and counts as one failure. */
function countTests(report) {
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  const failed = report.numFailedTests + unloaded.length
  return {
    passed: report.numPassedTests,
    failed: report.success ? failed : Math.max(1, failed),
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** What fails is told by its seed: `npm run -s sim -- --seed S` shows it. */
const simulate = () =>
  status(process.execPath, [join(root, 'test/dist/simulator/sim-main.js'), '--seeds', '1..1000', '--json'])

function runTests(filters) {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-test-'))
  const reportPath = join(directory, 'report.json')
  try {
    const code = tool([
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath}`,
      ...filters,
    ])
    try {
      const counts = countTests(JSON.parse(readFileSync(reportPath, 'utf8')))
      return code === 0 ? counts : { ...counts, failed: Math.max(1, counts.failed) }
    } catch {
      return { passed: 0, failed: 1, skipped: 0 } // vitest ended before it could report
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

install('*', { force: true })
check('build and type-check', build)
const built = !checks[0].failed
if (built) {
  check('biome', () => tool(['biome', 'ci', '.']))
  check('knip', () => tool(['knip']))
  check('packages as packed: publint, attw', checkPacked)
}
const filters = process.argv.slice(2)
if (built && filters.length === 0) check('the cluster in the simulator: 1,000 seeds of ten nodes', simulate)
const tests = built ? runTests(filters) : { passed: 0, failed: 0, skipped: 0 }

const failedChecks = checks.filter((each) => each.failed)
for (const { name, details } of failedChecks) {
  console.log(`failed check: ${name}${Array.isArray(details) ? ` (${details.join(', ')})` : ''}`)
}
const passed = tests.passed + checks.length - failedChecks.length
const failed = tests.failed + failedChecks.length
console.log(`${passed} passed, ${failed} failed${tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
