import { type Output, runLoadgen } from './loadgen-run.js'
import type { PhaseSummary } from './report-summary.js'
import type { Settings } from './settings.js'
import { compareStores, ratioText } from './store-comparison.js'
import { StoreNode } from './store-node.js'

/** The same load on a new node of each backend, one after the other, then how they compare. Returns the worst exit code. */
export async function runOnStores(settings: Settings, output: Output, signal: AbortSignal): Promise<number> {
  const runs: PhaseSummary[][] = []
  let worst = 0
  for (const store of settings.stores) {
    if (signal.aborted) break
    await using node = await StoreNode.start(store)
    const target = settings.protocol === 'resp' ? node.resp : node.http
    const { code, summaries } = await runLoadgen(
      { ...settings, targets: [target], subject: `caskade-${store}` },
      output,
      signal,
    )
    worst = Math.max(worst, code)
    runs.push(summaries)
  }
  for (const ratio of compareStores(runs)) output.out(settings.json ? JSON.stringify(ratio) : ratioText(ratio))
  return worst
}
