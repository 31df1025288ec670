import { isLoopback } from './http/authorization.js'

/**
 * Why a node may not listen as configured, or `undefined`. Whoever reaches an open port can read and delete everything, so
 * anything beyond this machine takes a password or an explicit word.
 */
export function bindRefusal(config: {
  respHost: string
  httpHost: string
  password: string | undefined
  insecure: boolean
}): string | undefined {
  if (config.password !== undefined || config.insecure) return undefined
  for (const [flag, host] of [
    ['--resp-host', config.respHost],
    ['--http-host', config.httpHost],
  ] as const)
    if (!isLoopback(host))
      return `${flag} ${host} can be reached from other machines, and there is no password: give one with --password-file FILE (a file of mode 0600), listen on 127.0.0.1, or say --insecure if the network is yours alone`
  return undefined
}
