/** The kinds of values a setting can have, and how each reads the text of a flag, a variable or a file. */
export type SettingType =
  | 'text'
  | 'path'
  | 'integer'
  | 'number'
  | 'bytes'
  | 'port'
  | 'boolean'
  | { oneOf: readonly string[] }

export type SettingValue = string | number | boolean

const byteUnits: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

export function describeType(type: SettingType): string {
  if (typeof type === 'object') return type.oneOf.join(' or ')
  switch (type) {
    case 'text':
      return 'text'
    case 'path':
      return 'a path'
    case 'integer':
      return 'a whole number from 0'
    case 'number':
      return 'a number'
    case 'bytes':
      return 'a number of bytes, such as 1048576, 64MiB or 512k'
    case 'port':
      return 'a port from 0 (any free one) to 65535'
    case 'boolean':
      return 'true or false'
  }
}

/** `undefined`: not a value of this type. Numbers and booleans of a config file come as such, all else as text. */
export function parseSetting(type: SettingType, input: unknown): SettingValue | undefined {
  if (typeof input !== 'string' && typeof input !== 'number' && typeof input !== 'boolean') return undefined
  const text = String(input).trim()
  if (typeof type === 'object') return type.oneOf.includes(text) ? text : undefined
  switch (type) {
    case 'text':
      return String(input)
    case 'path':
      return text === '' ? undefined : text
    case 'integer':
    case 'port': {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) && (type !== 'port' || value <= 65_535) ? value : undefined
    }
    case 'number': {
      const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
      return Number.isFinite(value) ? value : undefined
    }
    case 'bytes': {
      const match = /^(\d+(?:\.\d+)?) ?([kmg]?)(?:i?b)?$/i.exec(text)
      const value = match === null ? Number.NaN : Math.round(Number(match[1]) * byteUnits[match[2]!.toLowerCase()]!)
      return Number.isSafeInteger(value) ? value : undefined
    }
    case 'boolean':
      if (/^(?:true|1|yes|on)$/i.test(text)) return true
      return /^(?:false|0|no|off)$/i.test(text) ? false : undefined
  }
}
