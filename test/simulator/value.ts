import type { Rule } from './history.js'

/**
 * Values say who wrote them, when in the plan, and under which key: `key3/c2.57`. A `union` value is a set of such words.
 * Padding, if any, follows after a space and repeats one letter.
 */
export const uniqueValue = (key: string, client: number, number: number): string => `${key}/c${client}.${number}`

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

export const encodeValue = (value: string, padding: number): Uint8Array =>
  Buffer.from(padding === 0 ? value : `${value} ${'p'.repeat(padding)}`, 'latin1')

export const encodeUnion = (elements: Iterable<string>): Uint8Array =>
  Buffer.from([...new Set(elements)].sort().join(' '), 'latin1')

const elementsOf = (bytes: Uint8Array): string[] =>
  text(bytes)
    .split(' ')
    .filter((word) => word !== '')

/** The values, or elements, that a stored value stands for. A damaged value gives a word that nobody wrote. */
export function decodeValue(rule: Rule, bytes: Uint8Array): string[] {
  if (rule === 'union') return elementsOf(bytes)
  const [value, padding, ...rest] = text(bytes).split(' ')
  if (rest.length > 0 || (padding !== undefined && !/^p+$/.test(padding))) return [`damaged:${text(bytes)}`]
  return [value!]
}

/** The merge function of `union` buckets, as given to the cluster. */
export const mergeUnion = (values: readonly Uint8Array[]): Uint8Array => encodeUnion(values.flatMap(elementsOf))
