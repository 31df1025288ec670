import { kindDelete, kindDeleteRange, type RecordFields } from '../record-cursor.js'
import { escaped } from './inspect-text.js'

/** One record as one line. */
export function recordText(record: RecordFields): string {
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, sequence, kind, expiresAt, tag, writtenAt } =
    record
  const key = escaped(keyBytes, keyStart, keyEnd)
  const value = escaped(valueBytes, valueStart, valueEnd)
  if (kind === kindDelete) return `delete ${key} sequence ${sequence}`
  if (kind === kindDeleteRange)
    return `delete range from ${key} to ${valueStart === valueEnd ? 'the end' : value} sequence ${sequence}`
  const extras = [
    tag === 0 ? '' : ` tag ${tag}`,
    expiresAt === 0 ? '' : ` expires ${expiresAt}`,
    writtenAt === 0 ? '' : ` written ${writtenAt}`,
  ]
  return `put ${key} = ${value} sequence ${sequence}${extras.join('')}`
}
