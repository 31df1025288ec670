import { ConfigError } from './config-error.js'
import { nearestName } from './nearest-name.js'
import { describeType, parseSetting, type SettingValue } from './setting-type.js'
import { type Setting, type SettingName, settingNamed, settings, variableOf } from './settings.js'

export type SettingSource = 'flag' | 'environment' | 'file' | 'default' | 'unset'

export interface ResolvedSetting {
  value: SettingValue | undefined
  source: SettingSource
  /** The flag, variable or file that said it. */
  from: string | undefined
}

export type ResolvedConfig = ReadonlyMap<SettingName, ResolvedSetting>

export interface ConfigInputs {
  /** By setting name; values as typed. */
  flags: Readonly<Record<string, unknown>>
  environment: Readonly<Record<string, string | undefined>>
  file: { path: string; content: unknown } | undefined
}

const suggestion = (name: string, known: Iterable<string>) => {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '' : `; did you mean ${nearest}?`
}

function fileMembers(file: ConfigInputs['file']): Record<string, unknown> {
  if (file === undefined || file.content === null || file.content === undefined) return {}
  if (typeof file.content !== 'object' || Array.isArray(file.content))
    throw new ConfigError(`${file.path}: a config file holds settings by name, such as "http-port: 7380"`)
  for (const name of Object.keys(file.content))
    if (!settingNamed.has(name))
      throw new ConfigError(`${file.path}: there is no setting "${name}"${suggestion(name, settingNamed.keys())}`)
  return file.content as Record<string, unknown>
}

/** A misspelt variable would be ignored in silence; one that is near no setting may belong to another program. */
function checkVariables(environment: ConfigInputs['environment']): void {
  const known = settings.map(({ name }) => name)
  const knownVariables = new Set(['CASKADE_CONFIG', ...known.map(variableOf)])
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith('CASKADE_') || knownVariables.has(variable)) continue
    const nearest = nearestName(variable.slice('CASKADE_'.length).replaceAll('_', '-'), known, 2)
    if (nearest !== undefined)
      throw new ConfigError(`there is no setting for ${variable}; did you mean ${variableOf(nearest)}?`)
  }
}

const rangeText = (min: number | undefined, max: number | undefined): string =>
  max === undefined ? `at least ${min}` : min === undefined ? `at most ${max}` : `from ${min} to ${max}`

/** Every setting with its value and where that came from: a flag wins over a variable, that over the file, that over the default. */
export function resolveConfig(inputs: ConfigInputs): ResolvedConfig {
  const { flags, environment } = inputs
  const file = fileMembers(inputs.file)
  checkVariables(environment)
  const resolved = new Map<SettingName, ResolvedSetting>()
  for (const setting of settings) {
    const { name, type } = setting
    const variable = variableOf(name)
    const given: [SettingSource, string, unknown][] = [
      ['flag', `--${name}`, flags[name]],
      ['environment', variable, environment[variable]],
      ['file', inputs.file?.path ?? '', file[name] ?? undefined],
    ]
    const first = given.find(([, , value]) => value !== undefined)
    if (first === undefined) {
      const value = 'default' in setting ? setting.default : undefined
      resolved.set(name, { value, source: value === undefined ? 'unset' : 'default', from: undefined })
      continue
    }
    const [source, from, input] = first
    const value = parseSetting(type, input)
    const where = source === 'file' ? `${from}: ${name}` : from
    if (value === undefined) {
      const shown = 'secret' in setting ? '(hidden)' : JSON.stringify(input)
      throw new ConfigError(`${where} takes ${describeType(type)}, not ${shown}`)
    }
    const { min, max } = setting as Setting
    if (typeof value === 'number' && (value < (min ?? value) || value > (max ?? value)))
      throw new ConfigError(`${where} is ${rangeText(min, max)}, not ${value}`)
    resolved.set(name, { value, source, from })
  }
  return resolved
}

/** Typed access: the setting's value, or `undefined` where it is unset. */
export class Config {
  readonly resolved: ResolvedConfig

  constructor(resolved: ResolvedConfig) {
    this.resolved = resolved
  }

  #value(name: SettingName): SettingValue | undefined {
    return this.resolved.get(name)?.value
  }

  has(name: SettingName): boolean {
    return this.#value(name) !== undefined
  }

  text(name: SettingName): string {
    const value = this.#value(name)
    if (typeof value !== 'string') throw new ConfigError(`${name} is not set`)
    return value
  }

  number(name: SettingName): number {
    const value = this.#value(name)
    if (typeof value !== 'number') throw new ConfigError(`${name} is not set`)
    return value
  }

  boolean(name: SettingName): boolean {
    return this.#value(name) === true
  }

  optionalText(name: SettingName): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  optionalNumber(name: SettingName): number | undefined {
    return this.has(name) ? this.number(name) : undefined
  }
}
