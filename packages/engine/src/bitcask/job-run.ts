import { viewOf } from '../bytes.js'
import { readWhole } from '../io/read-whole.js'
import type { Storage } from '../io/storage.js'
import { verifyFile, verifySegment } from '../lsm/verify-run.js'
import type { FileDamage } from '../lsm/worker/job.js'
import { buildHint } from './hint-builder.js'
import { HintReader } from './hint-format.js'
import type { BitcaskJob, BitcaskJobResult, SettleJob, VerifyDataJob } from './job.js'
import { runMerge } from './merge-run.js'

export function runBitcaskJob(storage: Storage, job: BitcaskJob): BitcaskJobResult {
  switch (job.type) {
    case 'settle':
      return runSettle(storage, job)
    case 'merge':
      return runMerge(storage, job)
    case 'verify-data':
      return runVerify(storage, job)
  }
}

/** Crash windows: the hint is only a copy of what the file says, and the file's end is a promise only once the manifest has it. */
function runSettle(storage: Storage, { data, hint, secret }: SettleJob): BitcaskJobResult {
  const segment = storage.openSegment(data.path)
  let built: Uint8Array
  try {
    segment.sync()
    built = buildHint({ bytes: segment.bytes, view: viewOf(segment.bytes) }, data, secret, data.path)
  } finally {
    segment.close()
  }
  writeHint(storage, hint, built)
  storage.append(data.path, data.end).close()
  return { type: 'settle' }
}

export function writeHint(storage: Storage, path: string, bytes: Uint8Array): void {
  storage.remove(path)
  const file = storage.create(path)
  try {
    file.append(bytes)
    file.sync()
  } finally {
    file.close()
  }
}

function runVerify(storage: Storage, job: VerifyDataJob): BitcaskJobResult {
  const result = { type: 'verify-data' as const, files: 0, bytes: 0, records: 0, errors: [] as FileDamage[] }
  const { data, hint } = job
  verifyFile(result, () => {
    verifySegment(storage, data, () => result.records++)
    result.bytes += data.end
  })
  // Without one the data is read at the next open: slower, not wrong.
  if (storage.size(hint) === undefined) return result
  verifyFile(result, () => {
    const bytes = readWhole(storage, hint)
    result.bytes += bytes.length
    new HintReader(bytes, data, hint)
  })
  return result
}
