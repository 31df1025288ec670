import { Command, CommanderError, Option } from 'commander'
import { exitServerGone, exitUsage, type Output, runLoadgen } from './loadgen-run.js'
import { PreflightError } from './preflight.js'
import { type RawOptions, settingsOf } from './settings.js'
import { runOnStores } from './stores-run.js'

const collect = (text: string, before: string[]) => [...before, text]

function command(): Command {
  return new Command('loadgen')
    .description('Loads a key-value server over RESP or HTTP with the YCSB core workloads, and measures or verifies it')
    .option('-w, --workload <NAME>', 'a, b, c, d, e, f (YCSB core workloads) or mix-70-30', 'a')
    .option('--phase <PHASE>', 'load (insert the records), run, or both', 'both')
    .option('--protocol <NAME>', 'resp or http', 'resp')
    .option(
      '-t, --target <HOST:PORT>',
      'server; repeat to spread connections (default 127.0.0.1:7379, http :7380)',
      collect,
      [],
    )
    .option(
      '--store <LIST>',
      'lsm, bitcask or lsm,bitcask: start a node of each in turn, in a temporary directory, and compare them',
    )
    .addOption(new Option('--password <TEXT>', 'password of the server').env('CASKADE_PASSWORD'))
    .optionsGroup('Data:')
    .option('-r, --records <N>', 'records of the key space', '100K')
    .option('--field-count <N>', 'fields of a record (the record is one value of all of them)')
    .option('--field-bytes <N>', 'bytes of a field')
    .option('--value-bytes <N>', 'bytes of a value, instead of fields')
    .option('--key-prefix <TEXT>', 'what keys begin with', 'user')
    .option('--distribution <NAME>', "uniform, zipfian, latest or hotspot (default: the workload's)")
    .option('--hotspot-records <FRACTION>', 'hotspot: share of the records that is hot', '0.2')
    .option('--hotspot-operations <FRACTION>', 'hotspot: share of the operations that goes there', '0.8')
    .option('--scan-length-max <N>', 'longest scan')
    .option('--seed <N>', 'the same seed gives the same operations on each connection', '1')
    .optionsGroup('Load:')
    .option('-c, --connections <N>', 'connections', '50')
    .option('-P, --pipeline <N>', 'operations in flight on each connection', '1')
    .option('--read-batch <N>', 'keys of one read operation (MGET, POST /api/v1/kv/batch)', '1')
    .option('--rate <N>', 'operations per second, open loop: latency counts from when an operation was due')
    .option('-n, --operations <N>', 'end the run after this many')
    .option('-d, --duration <TIME>', 'end the run after this time (default 10s)')
    .option('--warmup <TIME>', 'time at the start of the run that is not in the report', '1s')
    .option('--timeout <TIME>', 'give up a connection that does not answer for this long', '10s')
    .option(
      '--reconnect <TIME>',
      'end when no connection has been possible for this long; 0: at the first loss of all',
      '30s',
    )
    .optionsGroup('Verification:')
    .option('--verify', 'values carry key, sequence and checksum: wrong, corrupt, stale and lost answers are counted')
    .option('--verify-only', 'only read every record back and check it against --state')
    .option(
      '--state <FILE>',
      'what has been written and acknowledged: read at the start if it exists, written at the end',
    )
    .optionsGroup('Reports:')
    .option('--json', 'results as one JSON object per line; live lines go to stderr')
    .option('--quiet', 'no live lines')
    .option('--hgrm <FILE>', 'percentile distribution for the HdrHistogram plotter')
    .option('--html <FILE>', 'report with plots in one self-contained file')
    .option(
      '--fail-if <CONDITION>',
      "exit 1 if it holds: 'p99>10ms', 'read.p99.9>2ms', 'errors>0', 'ops/s<50K'; repeatable",
      collect,
      [],
    )
    .option('--bench <NAME>', "name of the result (default: the workload's)")
    .option('--subject <NAME>', 'name of what is measured (default: protocol and target)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 a --fail-if condition or the verification failed; 2 wrong usage; 3 no server; 130 interrupted',
    )
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => {} })
}

/** The whole program but the process: returns the exit code. */
export async function loadgenMain(argv: readonly string[], output: Output, signal: AbortSignal): Promise<number> {
  const program = command()
  program.configureOutput({ writeOut: (text) => output.out(text.trimEnd()) })
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) output.note(`${error.message}\nSee loadgen --help`)
    return error.exitCode === 0 ? 0 : exitUsage
  }
  try {
    const settings = settingsOf(program.opts<RawOptions>())
    if (settings.stores.length > 0) return await runOnStores(settings, output, signal)
    const { code } = await runLoadgen(settings, output, signal)
    return code
  } catch (error) {
    output.note(output.paint.red((error as Error).message))
    return error instanceof PreflightError ? exitServerGone : exitUsage
  }
}
