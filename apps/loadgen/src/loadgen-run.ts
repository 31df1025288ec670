import { writeFileSync } from 'node:fs'
import type { Target } from './connection-run.js'
import type { Driver } from './driver.js'
import { failFigures, failures } from './fail-if.js'
import { HttpDriver } from './http-driver.js'
import { planChooser } from './key-chooser.js'
import { KeyCodec } from './key-codec.js'
import type { LoadgenState } from './loadgen-state-format.js'
import { RunStream, SweepStream } from './operation-stream.js'
import { type PhaseOptions, type PhaseResult, runPhase, type Sample } from './phase-run.js'
import { preflight } from './preflight.js'
import { hgrmFiles } from './report-hgrm.js'
import { htmlReport } from './report-html.js'
import { jsonLines } from './report-json.js'
import { type PhaseSummary, summarize } from './report-summary.js'
import { liveLine, type Paint, textReport } from './report-text.js'
import { RespDriver } from './resp-driver.js'
import { shareOf } from './schedule.js'
import { describeSettings, type Settings } from './settings.js'
import { readStateFile, writeStateFile } from './state-file.js'
import { ValueWriter } from './value-codec.js'
import { Verifier } from './verifier.js'
import { insertOperation, readOperation } from './workload.js'

const exitOk = 0
/** A --fail-if condition held, an answer was wrong, or not everything could be verified. */
const exitFailed = 1
export const exitUsage = 2
/** Nothing answered, or the server went away for good. */
export const exitServerGone = 3
const exitInterrupted = 130

export interface Output {
  /** Results. */
  out: (text: string) => void
  /** Everything else. */
  note: (text: string) => void
  paint: Paint
}

export interface LoadgenResult {
  /** The exit code. */
  code: number
  /** Of the phases that ran. */
  summaries: PhaseSummary[]
}

/** Runs the phases of `settings` and reports. Throws PreflightError and Errors about files. */
export async function runLoadgen(settings: Settings, output: Output, signal: AbortSignal): Promise<LoadgenResult> {
  const verifier = settings.verify ? verifierOf(settings) : undefined
  const run = new LoadgenRun(settings, output, verifier, signal)
  await preflight(settings.targets[0]!, settings.protocol, run.driverFor(settings.targets[0]!), settings.timeoutMs)
  const phases = settings.phase === 'both' ? (['load', 'run'] as const) : [settings.phase]
  const summaries: PhaseSummary[] = []
  let code = exitOk
  for (const [i, phase] of phases.entries()) {
    const result = await runPhase(run.phaseOptions(phase))
    const summary = run.report(phase, result)
    summaries.push(summary)
    const final = i === phases.length - 1 || summary.outcome !== 'complete'
    if (final) writeReports(settings, result, summaries)
    code = Math.max(code, verdict(settings, summary, result, final, output))
    result.recorder.close()
    if (summary.outcome !== 'complete' || signal.aborted) break
  }
  if (verifier !== undefined && settings.stateFile !== undefined && settings.phase !== 'verify') {
    writeStateFile(settings.stateFile, stateOf(settings, verifier))
  }
  return { code, summaries }
}

function verdict(
  settings: Settings,
  summary: PhaseSummary,
  result: PhaseResult,
  final: boolean,
  output: Output,
): number {
  const latencies = result.recorder.latencies()
  const figures = failFigures(summary, (operation, percentile) => latencies.get(operation)?.percentileUs(percentile))
  const failed = final ? failures(settings.failIf, figures) : []
  for (const sentence of failed) output.note(output.paint.red(sentence))
  if (summary.outcome === 'interrupted') return exitInterrupted
  if (summary.outcome === 'server-gone') return exitServerGone
  const unverified = summary.phase === 'verify' && summary.errorCount > 0
  return failed.length > 0 || unverified || (summary.verify?.violationCount ?? 0) > 0 ? exitFailed : exitOk
}

function writeReports(settings: Settings, result: PhaseResult, summaries: PhaseSummary[]): void {
  if (settings.hgrmFile !== undefined) {
    for (const [path, text] of hgrmFiles(settings.hgrmFile, result.recorder.latencies())) writeFileSync(path, text)
  }
  if (settings.htmlFile !== undefined) writeFileSync(settings.htmlFile, htmlReport(summaries))
}

/** What the phases share. */
class LoadgenRun {
  readonly #settings: Settings
  readonly #output: Output
  readonly #verifier: Verifier | undefined
  readonly #signal: AbortSignal
  readonly #keys: KeyCodec
  readonly #values: ValueWriter
  #startedAt = ''

  constructor(settings: Settings, output: Output, verifier: Verifier | undefined, signal: AbortSignal) {
    this.#settings = settings
    this.#output = output
    this.#verifier = verifier
    this.#signal = signal
    this.#keys = new KeyCodec(settings.keyPrefix)
    this.#values = new ValueWriter(settings.valueBytes, settings.verify && settings.phase !== 'verify', settings.seed)
  }

  driverFor(target: Target): Driver {
    const { password, protocol, records } = this.#settings
    const shared = { keys: this.#keys, values: this.#values, password, keepValues: this.#verifier !== undefined }
    if (protocol === 'resp') return new RespDriver(shared)
    return new HttpDriver({ ...shared, host: `${target.host}:${target.port}`, recordCount: records })
  }

  phaseOptions(phase: PhaseSummary['phase']): PhaseOptions {
    const { connections, pipeline, readBatch, seed, targets, timeoutMs, reconnectMs } = this.#settings
    this.#startedAt = new Date().toISOString()
    return {
      targets,
      connections,
      pipeline,
      readBatch,
      seed,
      timeoutMs,
      reconnectMs,
      ...(phase === 'run' ? this.#runSteps() : this.#sweepSteps(phase)),
      driverFor: (target) => this.driverFor(target),
      verifier: this.#verifier,
      keyOf: (record) => this.#keys.keyOf(record),
      onInterval: (sample) => this.#live(sample),
      signal: this.#signal,
    }
  }

  report(phase: PhaseSummary['phase'], result: PhaseResult): PhaseSummary {
    const { bench, subject, rate, json } = this.#settings
    const summary = summarize(
      {
        bench,
        subject,
        phase,
        startedAt: this.#startedAt,
        rate: phase === 'run' ? rate : undefined,
        verified: this.#verifier !== undefined && phase !== 'load',
        settings: describeSettings(this.#settings, phase),
      },
      result,
    )
    if (json) for (const line of jsonLines(summary)) this.#output.out(line)
    else this.#output.out(textReport(summary, this.#output.paint))
    return summary
  }

  #runSteps() {
    const { workload, records, hotspot, seed, readBatch, operations, durationMs, warmUpMs, rate } = this.#settings
    const plan = planChooser(workload.distribution, records, this.#recordsExpected(), hotspot)
    return {
      warmUpMs,
      durationMs,
      ...(rate === undefined ? {} : { rate }),
      streamFor: (place: { index: number; connections: number }) =>
        new RunStream(workload, plan, seed, place, readBatch),
      quotaFor: (place: { index: number; connections: number }) => shareOf(operations, place.index, place.connections),
    }
  }

  /** As YCSB does: twice the inserts that the operation count promises; when only a duration is known, as many again. */
  #recordsExpected(): number {
    const { workload, records, operations } = this.#settings
    const share = workload.proportions[insertOperation]
    if (share === 0) return records
    return operations === Number.POSITIVE_INFINITY ? records * 2 : records + Math.ceil(operations * share * 2)
  }

  #sweepSteps(phase: 'load' | 'verify') {
    const records = phase === 'load' ? this.#settings.records : this.#verifier!.records
    return {
      warmUpMs: 0,
      durationMs: Number.POSITIVE_INFINITY,
      readBatch: 1,
      streamFor: (place: { index: number; connections: number }) =>
        new SweepStream(phase === 'load' ? insertOperation : readOperation, place),
      quotaFor: (place: { index: number; connections: number }) => SweepStream.share(records, place),
    }
  }

  #live(sample: Sample): void {
    const { quiet, json } = this.#settings
    if (quiet) return
    const line = liveLine(sample, this.#output.paint)
    if (json) this.#output.note(line)
    else this.#output.out(line)
  }
}

/** With a state file, sequences go on where it ends. */
function verifierOf(settings: Settings): Verifier {
  const { stateFile, records, keyPrefix, phase } = settings
  const state = stateFile === undefined ? undefined : readStateFile(stateFile)
  if (state === undefined) {
    if (phase === 'run' || phase === 'verify') {
      throw new Error(`${stateFile} does not exist: it is written by --phase load --verify --state ${stateFile}`)
    }
    return new Verifier(records)
  }
  if (state.keyPrefix !== keyPrefix) {
    throw new Error(
      `${stateFile} is about keys that begin with '${state.keyPrefix}', not '${keyPrefix}': give --key-prefix '${state.keyPrefix}'`,
    )
  }
  if (phase !== 'verify' && state.recordCount !== records) {
    throw new Error(
      `${stateFile} is about ${state.recordCount} records, not ${records}: give --records ${state.recordCount}, or another file`,
    )
  }
  return new Verifier(state.issued.length, state.acknowledged, state.issued)
}

function stateOf(settings: Settings, verifier: Verifier): LoadgenState {
  return {
    valueBytes: settings.valueBytes,
    recordCount: settings.records,
    keyPrefix: settings.keyPrefix,
    ...verifier.sequences(),
  }
}
