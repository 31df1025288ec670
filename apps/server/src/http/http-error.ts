import { CaskadeError } from '@caskade/engine'

/** Every code an HTTP error body can carry, with its status. Codes are part of the API: they never change their meaning. */
export const errorStatus = {
  CASKADE_BAD_REQUEST: 400,
  CASKADE_INVALID_JSON: 400,
  CASKADE_JSON_TOO_DEEP: 400,
  CASKADE_INVALID_KEY: 400,
  CASKADE_INVALID_VALUE: 400,
  CASKADE_UNAUTHORIZED: 401,
  CASKADE_FORBIDDEN_HOST: 403,
  CASKADE_NOT_FOUND: 404,
  CASKADE_NO_ROUTE: 404,
  CASKADE_METHOD_NOT_ALLOWED: 405,
  CASKADE_NOT_ACCEPTABLE: 406,
  CASKADE_TIMEOUT: 408,
  CASKADE_CONDITION_FAILED: 412,
  CASKADE_TOO_LARGE: 413,
  CASKADE_UNSUPPORTED_MEDIA_TYPE: 415,
  CASKADE_HEADERS_TOO_LARGE: 431,
  CASKADE_INTERNAL: 500,
  CASKADE_CORRUPTION: 500,
  CASKADE_UNCERTAIN: 500,
  CASKADE_IO: 500,
  CASKADE_OVERLOADED: 503,
  CASKADE_READ_ONLY: 503,
  CASKADE_CLOSED: 503,
  CASKADE_DISK_FULL: 507,
} as const

export type HttpErrorCode = keyof typeof errorStatus

export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: HttpErrorCode
  /** Of the record, where a condition on it failed; 0: there is none. */
  readonly version: number | undefined

  constructor(code: HttpErrorCode, message: string, version?: number) {
    super(message)
    this.code = code
    this.version = version
  }
}

export interface ErrorAnswer {
  status: number
  code: HttpErrorCode
  message: string
  version: number | undefined
}

const isKnown = (code: unknown): code is HttpErrorCode => typeof code === 'string' && Object.hasOwn(errorStatus, code)

/** Fastify's own errors, in our codes. */
const fastifyCodes = new Map<unknown, HttpErrorCode>(
  Object.entries({
    FST_ERR_CTP_BODY_TOO_LARGE: 'CASKADE_TOO_LARGE',
    FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'CASKADE_BAD_REQUEST',
    FST_ERR_CTP_EMPTY_JSON_BODY: 'CASKADE_INVALID_JSON',
    FST_ERR_VALIDATION: 'CASKADE_BAD_REQUEST',
    FST_ERR_BAD_URL: 'CASKADE_BAD_REQUEST',
  }),
)

/**
 * What a client is told of a failure. An error we did not foresee says nothing of its inside (it is logged); the store's
 * errors keep their code and sentence.
 */
export function errorAnswer(error: unknown): ErrorAnswer {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (isKnown(code))
    return { status: errorStatus[code], code, message, version: error instanceof HttpError ? error.version : undefined }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return {
      status: 415,
      code: 'CASKADE_UNSUPPORTED_MEDIA_TYPE',
      message:
        'a body is application/json (with curl: -H "content-type: application/json"), application/x-ndjson or application/octet-stream',
      version: undefined,
    }
  const translated = fastifyCodes.get(code)
  if (translated !== undefined)
    return { status: errorStatus[translated], code: translated, message, version: undefined }
  if (error instanceof CaskadeError) return { status: 500, code: 'CASKADE_INTERNAL', message, version: undefined }
  return {
    status: 500,
    code: 'CASKADE_INTERNAL',
    message: 'unexpected failure: see the log of the node',
    version: undefined,
  }
}

export function errorBody({ code, message, version }: ErrorAnswer): string {
  return JSON.stringify({ error: { code, message }, ...(version === undefined ? {} : { version }) })
}
