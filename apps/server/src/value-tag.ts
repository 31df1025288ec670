/** What a record's `tag` says about its value, so that both protocols can share one key space. */
export const valueTag = {
  /** Written by a Redis client: bytes, of which HTTP shows UTF-8 as a string and the rest as base64. */
  raw: 0,
  /** Written over HTTP as a JSON string: UTF-8 text. */
  text: 1,
  /** Written over HTTP as another JSON value: its text as it came. */
  json: 2,
  /** Written over HTTP as base64 or application/octet-stream: bytes. */
  binary: 3,
} as const
