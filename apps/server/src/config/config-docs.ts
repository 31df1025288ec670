import { describeType, type SettingValue } from './setting-type.js'
import { type Setting, settings, variableOf } from './settings.js'

function defaultText(setting: Setting): string {
  const { default: value, unset } = setting
  if (value === undefined) return unset ?? 'unset'
  const shown: SettingValue = value
  return `\`${shown}\``
}

/** The table of settings in docs/operations/configuration.md. */
export function settingsTable(): string {
  const lines = ['| flag and key | variable | takes | default | what it does | commands |', '|---|---|---|---|---|---|']
  for (const setting of settings as readonly Setting[]) {
    const short = setting.short === undefined ? '' : `, \`-${setting.short}\``
    lines.push(
      `| \`--${setting.name}\`${short} | \`${variableOf(setting.name)}\` | ${describeType(setting.type)} | ${defaultText(setting)} | ${setting.help} | ${setting.commands.join(', ')} |`,
    )
  }
  return `${lines.join('\n')}\n`
}
