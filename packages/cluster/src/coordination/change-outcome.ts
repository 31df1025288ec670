import type { Topology } from './topology.js'

/** Why a change was not made; nothing happened. */
export type ChangeRefusalCode =
  | 'CASKADE_BAD_REQUEST'
  | 'CASKADE_NO_SUCH_MEMBER'
  | 'CASKADE_NO_SUCH_BUCKET'
  | 'CASKADE_BUCKET_EXISTS'
  | 'CASKADE_MOVE_CONFLICT'
  | 'CASKADE_LAST_MEMBER'
  | 'CASKADE_OTHER_LIFE'
  | 'CASKADE_TOO_MANY'

/** Of a change that the topology does not allow: thrown inside pure changes, and nowhere else; `changeTopology` returns it. */
export class ChangeRefusal extends Error {
  override readonly name = 'ChangeRefusal'
  readonly code: ChangeRefusalCode

  constructor(code: ChangeRefusalCode, message: string) {
    super(message)
    this.code = code
  }
}

export type ChangeOutcome =
  | { readonly status: 'changed'; readonly topology: Topology }
  /** The topology already is as asked: the same change, repeated. */
  | { readonly status: 'unchanged' }
  | { readonly status: 'refused'; readonly code: ChangeRefusalCode; readonly message: string }
