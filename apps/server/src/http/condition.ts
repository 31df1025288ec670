import { HttpError } from './http-error.js'

/**
 * What must hold of a record's version for a request to go on; a version is the record's sequence, and 0 where there is no
 * record. `ifNotExists` is `equals [0]`.
 */
export type Condition =
  | { kind: 'equals'; versions: readonly number[] }
  | { kind: 'differs'; versions: readonly number[] }
  | { kind: 'exists' }

export const ifNotExists: Condition = { kind: 'equals', versions: [0] }

export function holds(condition: Condition, version: number): boolean {
  switch (condition.kind) {
    case 'equals':
      return condition.versions.includes(version)
    case 'differs':
      return !condition.versions.includes(version)
    case 'exists':
      return version !== 0
  }
}

function describe(condition: Condition): string {
  switch (condition.kind) {
    case 'exists':
      return 'that the key exists'
    case 'differs':
      return `a version other than ${condition.versions.join(', ')}`
    case 'equals':
      return condition.versions.length === 1 && condition.versions[0] === 0
        ? 'that the key does not exist'
        : `version ${condition.versions.join(' or ') || '(none that this node wrote)'}`
  }
}

export function checkConditions(conditions: readonly Condition[], version: number, what = 'the key'): void {
  for (const condition of conditions) {
    if (holds(condition, version)) continue
    const found = version === 0 ? `${what} does not exist` : `${what} is at version ${version}`
    throw new HttpError('CASKADE_CONDITION_FAILED', `the condition wants ${describe(condition)}, but ${found}`, version)
  }
}

// Entity tags that are not ours (weak ones, or no number) can match nothing: they are left out.
function versionsOf(header: string, name: string): number[] {
  const versions: number[] = []
  for (const item of header.split(',')) {
    const tag = /^\s*(W\/)?"([^"]*)"\s*$/.exec(item)
    if (tag === null)
      throw new HttpError(
        'CASKADE_BAD_REQUEST',
        `${name} takes "*" or entity tags in double quotes such as "17", not ${JSON.stringify(item.trim())}`,
      )
    const version = Number(tag[2])
    if (tag[1] === undefined && /^[1-9]\d*$/.test(tag[2]!) && Number.isSafeInteger(version)) versions.push(version)
  }
  return versions
}

/** The conditions that `If-Match` and `If-None-Match` state, where the entity tag is the version in quotes. */
export function headerConditions(headers: { 'if-match'?: string; 'if-none-match'?: string }): Condition[] {
  const conditions: Condition[] = []
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch !== undefined)
    conditions.push(
      ifMatch.trim() === '*' ? { kind: 'exists' } : { kind: 'equals', versions: versionsOf(ifMatch, 'If-Match') },
    )
  if (ifNoneMatch !== undefined)
    conditions.push(
      ifNoneMatch.trim() === '*'
        ? ifNotExists
        : { kind: 'differs', versions: versionsOf(ifNoneMatch, 'If-None-Match') },
    )
  return conditions
}
