import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** The password an `Authorization` header carries: `Bearer <password>`, or `Basic` with any user name. */
export function passwordOf(header: string | undefined): string | undefined {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(header ?? '')
  if (match === null) return undefined
  // Header text is latin1; what the client typed was most likely UTF-8.
  if (match[1]!.toLowerCase() === 'bearer') return Buffer.from(match[2]!, 'latin1').toString()
  const pair = Buffer.from(match[2]!, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon === -1 ? undefined : pair.slice(colon + 1)
}

/** Compares without telling by its time how much matched, nor how long the password is. */
export function passwordChecker(password: string): (header: string | undefined) => boolean {
  const wanted = digest(password)
  return (header) => timingSafeEqual(digest(passwordOf(header) ?? ''), wanted) && passwordOf(header) !== undefined
}

/** 127.0.0.0/8, ::1 and the IPv4-mapped form, as a socket reports them; also the name `localhost`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '')
  return /^localhost$/i.test(address) || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address)
}

/** The host part of a `Host` header, without its port. */
export function hostName(header: string): string {
  return header.replace(/:\d*$/, '')
}
