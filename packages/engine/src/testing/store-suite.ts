import { afterEach, beforeEach, describe } from 'vitest'
import { atomicSuite } from './suite/atomic-suite.js'
import { batchSuite } from './suite/batch-suite.js'
import { changesSuite } from './suite/changes-suite.js'
import { closingSuite } from './suite/closing-suite.js'
import { deleteRangeSuite } from './suite/delete-range-suite.js'
import { expirySuite } from './suite/expiry-suite.js'
import { ingestSuite } from './suite/ingest-suite.js'
import { maintenanceSuite } from './suite/maintenance-suite.js'
import { mistakeSuite } from './suite/mistake-suite.js'
import { recordSuite } from './suite/record-suite.js'
import { scanSuite } from './suite/scan-suite.js'
import { sequenceSuite } from './suite/sequence-suite.js'
import { snapshotSuite } from './suite/snapshot-suite.js'
import { type StorePlace, SuiteStore } from './suite/suite-store.js'

const suites = [
  recordSuite,
  mistakeSuite,
  expirySuite,
  sequenceSuite,
  atomicSuite,
  batchSuite,
  scanSuite,
  snapshotSuite,
  deleteRangeSuite,
  ingestSuite,
  changesSuite,
  maintenanceSuite,
  closingSuite,
]

/** What every store must do, whatever is behind the port. */
export function storeSuite(name: string, makePlace: () => StorePlace): void {
  describe(`store suite: ${name}`, () => {
    const use = new SuiteStore(makePlace)
    beforeEach(() => use.begin())
    afterEach(() => use.end())
    for (const suite of suites) suite(use)
  })
}
