import { readFileSync } from 'node:fs'

/** Resident bytes of this process, and those of them that are no mapped file: heap, buffers, stacks (Linux; elsewhere 0). */
export function residentBytes(): { rss: number; anonymous: number } {
  const rss = process.memoryUsage.rss()
  if (process.platform !== 'linux') return { rss, anonymous: 0 }
  const kibibytes = /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  return { rss, anonymous: Number(kibibytes ?? 0) * 1024 }
}
