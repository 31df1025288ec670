import type { Snapshot } from '@caskade/engine'
import { AbstractSnapshot } from 'abstract-level'

// Its types leave out the constructor.
const SnapshotBase = AbstractSnapshot as new (options: object) => AbstractSnapshot

/** What `db.snapshot()` gives: abstract-level counts who uses it, and closes it behind the last. */
export class LevelSnapshot extends SnapshotBase {
  readonly moment: Snapshot

  constructor(moment: Snapshot, options: object) {
    super(options)
    this.moment = moment
  }

  protected async _close(): Promise<void> {
    this.moment.close()
  }
}
