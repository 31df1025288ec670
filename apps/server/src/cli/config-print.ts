import type { Setting } from '../config/settings.js'
import { settings } from '../config/settings.js'
import type { Command } from './command-context.js'
import { exitCode } from './exit-code.js'
import { Table } from './table.js'

export const configPrint: Command = async ({ config, out }) => {
  const rows = (settings as readonly Setting[]).map((setting) => {
    const { value, source, from } = config.resolved.get(setting.name as (typeof settings)[number]['name'])!
    const shown = value !== undefined && setting.secret === true ? '(hidden)' : value
    return { name: setting.name, value: shown ?? null, source, from: from ?? null }
  })
  if (config.text('output') === 'json') out.write(`${JSON.stringify(rows, null, 2)}\n`)
  else if (config.text('output') === 'ndjson') for (const row of rows) out.write(`${JSON.stringify(row)}\n`)
  else {
    const table = new Table([{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'FROM' }], Number.POSITIVE_INFINITY)
    const cells = rows.map(({ name, value, source, from }) => [
      name,
      value === null ? '-' : String(value),
      from === null ? source : `${source} ${from}`,
    ])
    table.fit(cells)
    out.write(table.header())
    out.write(table.rows(cells))
  }
  return exitCode.ok
}
