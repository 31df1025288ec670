import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { HttpError } from './http-error.js'
import { parseQuery } from './percent-bytes.js'

type Converted = string | number | boolean

/** Text that is no such number or truth value stays text, and the schema refuses it. */
function convert(text: string, type: unknown): Converted {
  if ((type === 'integer' || type === 'number') && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/** Parses a query string by a schema of scalars, and names what is wrong with it. */
export function queryValidator(schema: TSchema): (query: { text: string }) => { value: unknown } | { error: Error } {
  const properties = ((schema as { properties?: Record<string, { type?: unknown }> }).properties ?? {}) as Record<
    string,
    { type?: unknown }
  >
  const validator = Compile(schema)
  const names = Object.keys(properties)
  return ({ text }) => {
    try {
      const parsed: Record<string, Converted> = {}
      for (const [name, value] of Object.entries(parseQuery(text))) {
        if (!names.includes(name))
          throw new HttpError(
            'CASKADE_BAD_REQUEST',
            `this takes no query parameter ${JSON.stringify(name)}${names.length === 0 ? '' : `: it takes ${names.join(', ')}`}`,
          )
        parsed[name] = convert(value, properties[name]?.type)
      }
      if (validator.Check(parsed)) return { value: parsed }
      const [first] = validator.Errors(parsed)
      throw new HttpError(
        'CASKADE_BAD_REQUEST',
        `query parameter ${first?.instancePath.slice(1) ?? ''}: ${first?.message ?? 'not valid'}`,
      )
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) }
    }
  }
}
