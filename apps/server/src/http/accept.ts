import { HttpError } from './http-error.js'

/** The offered media type that an `Accept` header likes best; the first one where it has no preference. */
export function preferredType<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  if (accept === undefined || accept.trim() === '') return offered[0]
  let best: T | undefined
  let bestQuality = 0
  for (const item of accept.split(',')) {
    const [range = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    const stated = parameters.find((parameter) => parameter.startsWith('q='))
    const quality = stated === undefined ? 1 : Number(stated.slice(2))
    const match = offered.find(
      (type) => range === '*/*' || range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1))),
    )
    if (match !== undefined && quality > bestQuality) {
      best = match
      bestQuality = quality
    }
  }
  if (best === undefined)
    throw new HttpError(
      'CASKADE_NOT_ACCEPTABLE',
      `this answer comes as ${offered.join(' or ')}, which "Accept: ${accept}" excludes`,
    )
  return best
}
