import { viewOf } from '../bytes.js'
import { footerBytes } from '../lsm/table/table-format.js'

/** Where the data blocks of a table end, and its filter begins: for tests that damage one; 0 for what is no whole table. */
export function tableDataEnd(table: Uint8Array): number {
  if (table.length < footerBytes) return 0
  return Math.min(table.length, Number(viewOf(table).getBigUint64(table.length - footerBytes, true)))
}
