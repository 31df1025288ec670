import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One file of the repository: its path from the root, with slashes, and its text. */
export interface SourceFile {
  path: string
  text: string
}

const skipped = new Set(['node_modules', 'dist', '.git', '.turbo', '.tools', 'data', 'results', 'fixtures'])

function walk(root: string, directory: string, paths: string[]): void {
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) walk(root, path, paths)
    } else paths.push(path)
  }
}

/** Sources, package files and pages below the parts of the repository that people write in. */
export function readSourceTree(root: string): SourceFile[] {
  const paths: string[] = []
  for (const part of ['packages', 'apps', 'bench', 'test', 'scripts', 'docs'])
    if (existsSync(join(root, part))) walk(root, part, paths)
  return paths
    .filter((path) => /\.(m?ts|m?js|tsx|md)$|(^|\/)package\.json$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Directory of the workspace package that a path lies in, such as `packages/engine`; undefined outside of any. */
export function packageDirectory(path: string): string | undefined {
  const match = /^(?:(?:packages|apps)\/[^/]+|bench\/peers|bench|test)(?=\/)/.exec(path)
  return match?.[0]
}

/** Also what tests and benchmarks are made with. */
export const isTest = (path: string) => /\.(test|bench)[.-]|-suite\.ts$|\/src\/testing\//.test(path)

/** Text with comments and the contents of strings blanked, so that words in prose are not taken for code. */
export function codeOnly(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g,
    (found) => (found.startsWith('/') ? '' : `${found[0]}${found[0]}`),
  )
}

/** Module specifiers that a file imports or re-exports, types included, static or dynamic. */
export function imports(text: string): string[] {
  // One-line templates are text, such as the planted imports of the tidy test.
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/[^\n]*|`[^`\n]*`/gm, '')
  const pattern =
    /(?:^|[\s;}])(?:from|import)\s*['"]([^'"\n]+)['"]|\b(?:import|require|resolve)\(\s*['"]([^'"\n]+)['"]/g
  return [...code.matchAll(pattern)].map((match) => (match[1] ?? match[2])!)
}
