import { keyBytesMax } from '@caskade/engine'
import { type TSchema, Type } from 'typebox'

/** The API's shapes, for OpenAPI and for checking queries; bodies are read by `write-decoder.ts`, which keeps values as they came. */

/** Keys in one `batch`. */
export const batchKeysMax = 1000
/** Operations in one `batch/write`. */
export const batchOperationsMax = 10_000
/** Records in one page of a listing. */
export const listLimitMax = 1000
export const listLimitDefault = 100
/** Bytes of keys and values in one answer; a listing ends its page there, a batch is refused. */
export const answerBytesMax = 64 * 1024 * 1024
export const pageBytesMax = 1024 * 1024

const Key = Type.Union(
  [
    Type.String({ minLength: 1 }),
    Type.Object({ base64: Type.String({ description: 'The bytes of the key' }) }, { additionalProperties: false }),
  ],
  { description: `A key of 1 to ${keyBytesMax} bytes: a string, or {"base64": "…"} for bytes that are not UTF-8.` },
)

const Value = Type.Unknown({
  description:
    'Any JSON value. A string is stored as its UTF-8 text; any other value as its JSON text, byte for byte. With "encoding": "base64", a string that stands for bytes.',
})

const Encoding = Type.Literal('base64', { description: 'The value is bytes in base64.' })
const Version = Type.Integer({ minimum: 0, description: 'Number of the write that made the record; greater is newer.' })
const ExpiresAt = Type.Integer({ minimum: 0, description: 'When the record is gone, in milliseconds since the epoch.' })

const Condition = Type.Union(
  [
    Type.Literal('ifNotExists'),
    Type.Object(
      { ifVersion: Type.Integer({ minimum: 0, description: '0: there is no such record' }) },
      { additionalProperties: false },
    ),
  ],
  { description: 'What must hold, checked in one step with the write.' },
)

const putMembers = {
  value: Value,
  encoding: Type.Optional(Encoding),
  condition: Type.Optional(Condition),
  ttlSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Seconds from now, to the millisecond.' })),
  expiresAt: Type.Optional(ExpiresAt),
}

export const PutBody = Type.Object(putMembers, { additionalProperties: false })

const PutOperation = Type.Object(
  { type: Type.Optional(Type.Literal('put')), key: Key, ...putMembers },
  { additionalProperties: false },
)
const DeleteOperation = Type.Object(
  { type: Type.Literal('delete'), key: Key, condition: Type.Optional(Condition) },
  { additionalProperties: false },
)
export const Operation = Type.Union([PutOperation, DeleteOperation])
export const WriteBody = Type.Object(
  { operations: Type.Array(Operation, { maxItems: batchOperationsMax }) },
  { additionalProperties: false },
)
export const BatchBody = Type.Object(
  { keys: Type.Array(Key, { maxItems: batchKeysMax }) },
  { additionalProperties: false },
)

const recordMembers = {
  key: Key,
  value: Value,
  encoding: Type.Optional(Encoding),
  version: Version,
  timestamp: Type.Optional(
    Type.Integer({
      description:
        "The node's clock at the write that `version` counts, in milliseconds since the epoch. Absent: not recorded (the record was written by a program that embeds the engine).",
    }),
  ),
  expiresAt: Type.Optional(ExpiresAt),
}
export const RecordAnswer = Type.Object(recordMembers)
export const BatchAnswer = Type.Object({
  items: Type.Array(
    Type.Union([
      Type.Object({ found: Type.Literal(true), ...recordMembers }),
      Type.Object({ found: Type.Literal(false), key: Key }),
    ]),
    { description: 'One per key, in the order asked for.' },
  ),
})
export const ListAnswer = Type.Object({
  items: Type.Array(Type.Object({ ...recordMembers, value: Type.Optional(Value) }), {
    description: 'In key order, bytewise.',
  }),
  cursor: Type.Optional(Type.String({ description: 'Where the next page starts; absent on the last page.' })),
})
export const WrittenAnswer = Type.Object({ success: Type.Literal(true), version: Version })
export const BatchWrittenAnswer = Type.Object({
  success: Type.Literal(true),
  count: Type.Integer(),
  version: Version,
})
export const DeletedAnswer = Type.Object({ success: Type.Literal(true) })
export const ErrorBody = Type.Object({
  error: Type.Object({ code: Type.String({ description: 'Stable, CASKADE_…' }), message: Type.String() }),
  version: Type.Optional(Type.Integer({ description: 'With 412: of the record now; 0: there is none.' })),
})

export const KeyParams = Type.Object({
  key: Type.String({ description: 'The key, its bytes percent-encoded; "/" may stand as it is.' }),
})
export const ConditionHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: '"*", or versions as entity tags: "17"' })),
  'if-none-match': Type.Optional(Type.String({ description: '"*", or versions as entity tags: "17"' })),
})
export const PutQuery = Type.Object(
  { ttlSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'For a raw body; seconds from now.' })) },
  { additionalProperties: false },
)
export const ListQuery = Type.Object(
  {
    prefix: Type.Optional(Type.String({ description: 'Only keys that start with these bytes, percent-encoded.' })),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: listLimitMax,
        description: `Records in a page, default ${listLimitDefault}.`,
      }),
    ),
    cursor: Type.Optional(Type.String({ description: 'From the page before.' })),
    values: Type.Optional(Type.Boolean({ description: 'false: keys only. Default true.' })),
  },
  { additionalProperties: false },
)
export const NoQuery = Type.Object({}, { additionalProperties: false })

/** Response schemas of a route: its own for 200, the error body for the rest. */
export function answers(ok: TSchema, statuses: readonly number[]): Record<number, TSchema> {
  return { 200: ok, ...Object.fromEntries(statuses.map((status) => [status, ErrorBody])) }
}
