import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { reportScript } from './report-html-script.js'
import { reportStyle } from './report-html-style.js'
import type { PhaseSummary } from './report-summary.js'
import { formatCount, formatUs } from './report-text.js'

const require = createRequire(import.meta.url)

/** One self-contained page: no request leaves it (its own content security policy forbids any). */
export function htmlReport(phases: readonly PhaseSummary[]): string {
  const last = phases.at(-1)!
  const plotLibrary = readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8')
  const plotStyle = readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8')
  const title = `${last.bench} on ${last.subject}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${plotStyle}${reportStyle}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(last.startedAt)}</p></header>
<main>
${phases.toReversed().map(phaseSection).join('\n')}
</main>
<script>${plotLibrary}</script>
<script type="application/json" id="report">${embeddedJson(phases.toReversed())}</script>
<script>${reportScript}</script>
</body>
</html>
`
}

function phaseSection(summary: PhaseSummary, index: number): string {
  const all = summary.latencies.all!
  const tiles: [string, string][] = [
    ['throughput', `${formatCount(all.opsPerSec)} ops/s`],
    ['operations', formatCount(all.n)],
    ['p50', formatUs(all.p50Us)],
    ['p99', formatUs(all.p99Us)],
    ['p99.9', formatUs(all.p999Us)],
    ['max', formatUs(all.maxUs)],
    ['errors', formatCount(summary.errorCount)],
    ...(summary.verify === undefined
      ? []
      : [['violations', formatCount(summary.verify.violationCount)] as [string, string]]),
  ]
  const bad = (name: string, value: string) =>
    (name === 'errors' || name === 'violations') && value !== '0' ? ' class="bad"' : ''
  return `<section>
<h2>${summary.phase} phase</h2>
<dl class="tiles">${tiles.map(([name, value]) => `<div${bad(name, value)}><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<figure><figcaption>Latency by percentile</figcaption><div class="plot" id="curve-${index}"></div></figure>
<figure><figcaption>Throughput over time</figcaption><div class="plot" id="throughput-${index}"></div></figure>
<figure><figcaption>Latency over time</figcaption><div class="plot" id="latency-${index}"></div></figure>
<div class="tables">
${latencyTable(summary)}
${pairsTable('Settings', Object.entries(summary.settings))}
${pairsTable('Notes', notes(summary))}
</div>
</section>`
}

function notes(summary: PhaseSummary): [string, string][] {
  const { openLoop, verify } = summary
  return [
    ['outcome', summary.outcome],
    ['measured', `${(summary.measuredMs / 1000).toFixed(2)} s`],
    ['load generator CPU', `${Math.round(summary.clientCpu * 100)} % of a core`],
    ...(openLoop === undefined
      ? []
      : ([
          ['began over 1 ms late', formatCount(openLoop.late)],
          ['due, never sent', formatCount(openLoop.unsent)],
        ] as [string, string][])),
    ...(summary.absent > 0 ? [['reads that found nothing', formatCount(summary.absent)] as [string, string]] : []),
    ...(summary.disconnects > 0 ? [['connections lost', formatCount(summary.disconnects)] as [string, string]] : []),
    ...(verify === undefined ? [] : [['values verified', formatCount(verify.checked)] as [string, string]]),
    ...Object.entries(verify?.violations ?? {})
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => [`verify: ${kind}`, formatCount(count)] as [string, string]),
    ...Object.entries(summary.errors).map(
      ([kind, count]) => [`error ${kind}`, `${formatCount(count)}: ${summary.errorMessages[kind]}`] as [string, string],
    ),
  ]
}

function latencyTable({ latencies }: PhaseSummary): string {
  const head = ['', 'count', 'ops/s', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']
  const rows = Object.entries(latencies).map(([name, each]) =>
    [
      formatCount(each.n),
      formatCount(each.opsPerSec),
      ...[each.meanUs, each.p50Us, each.p90Us, each.p99Us, each.p999Us, each.p9999Us, each.maxUs].map(formatUs),
    ].reduce((row, cell) => `${row}<td>${cell}</td>`, `<tr><th>${escapeHtml(name)}</th>`),
  )
  return `<div class="card wide"><table><caption>Latency</caption><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `${row}</tr>`).join('')}</tbody></table></div>`
}

function pairsTable(caption: string, pairs: [string, string][]): string {
  const rows = pairs.map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
  return `<div class="card"><table><caption>${caption}</caption><tbody>${rows.join('')}</tbody></table></div>`
}

/** JSON that cannot end its script element. */
function embeddedJson(phases: readonly PhaseSummary[]): string {
  return JSON.stringify(phases.map(({ curves, samples }) => ({ curves, samples }))).replaceAll('<', '\\u003c')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
