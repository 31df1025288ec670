/** Something the user can do something about. */
export class ConvertError extends Error {
  override readonly name = 'ConvertError'
}
