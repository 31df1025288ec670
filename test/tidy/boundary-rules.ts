import { posix } from 'node:path'
import { codeOnly, imports, isTest, packageDirectory, type SourceFile } from './source-tree.js'

export interface Violation {
  path: string
  rule: string
}

/** Takes the whole tree, gives what breaks one rule of the design. */
export type Rule = (tree: readonly SourceFile[]) => Violation[]

const isSource = ({ path }: SourceFile) => /\.tsx?$/.test(path)

/** Height of each published or run package: it may import only lower ones. */
const layers = new Map([
  ['@caskade/mmap', 0],
  ['@caskade/engine', 1],
  ['@caskade/level', 2],
  ['@caskade/cluster', 2],
  ['@caskade/client', 2],
  ['@caskade/loadgen', 3],
  ['@caskade/server', 4],
  ['@caskade/bench', 5],
  ['@caskade/bench-peers', 6],
  ['@caskade/test', 5],
])

const packageOf = (specifier: string) => /^@caskade\/[^/]+/.exec(specifier)?.[0]

function packageNames(tree: readonly SourceFile[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const { path, text } of tree)
    if (path.endsWith('/package.json')) names.set(posix.dirname(path), JSON.parse(text).name)
  return names
}

/** apps → cluster → engine → mmap, never back; in package files as in imports. */
export const layersPointDown: Rule = (tree) => {
  const names = packageNames(tree)
  const violations: Violation[] = []
  for (const file of tree) {
    const own = names.get(packageDirectory(file.path) ?? '')
    if (own === undefined) continue
    const isManifest = file.path.endsWith('/package.json')
    if (!isManifest && !isSource(file)) continue
    const height = layers.get(own)
    if (height === undefined) {
      if (isManifest) violations.push({ path: file.path, rule: `${own} has no layer: give it one in the tidy test` })
      continue
    }
    const { dependencies, optionalDependencies, peerDependencies, devDependencies } = isManifest
      ? JSON.parse(file.text)
      : {}
    const used = isManifest
      ? Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies, ...devDependencies })
      : imports(file.text)
    for (const other of new Set(used.map(packageOf)))
      if (other !== undefined && other !== own && !((layers.get(other) ?? Number.POSITIVE_INFINITY) < height))
        violations.push({ path: file.path, rule: `${own} must not depend on ${other}` })
  }
  return violations
}

/** Files and mappings are reached through the storage port alone: that is what makes crashes and faults testable. */
export const onlyIoTouchesFiles: Rule = (tree) =>
  tree
    .filter((file) => /^packages\/engine\/src\/(?!io\/)/.test(file.path) && isSource(file) && !isTest(file.path))
    .flatMap(({ path, text }) =>
      imports(text)
        .filter((specifier) => /^(node:)?fs(\/|$)/.test(specifier) || packageOf(specifier) === '@caskade/mmap')
        .map((specifier) => ({ path, rule: `only packages/engine/src/io may import ${specifier}` })),
    )

/** Packages import each other by name. */
export const noPathsAcrossPackages: Rule = (tree) =>
  tree.filter(isSource).flatMap(({ path, text }) =>
    imports(text)
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => packageDirectory(posix.join(posix.dirname(path), specifier)) !== packageDirectory(path))
      .map((specifier) => ({ path, rule: `${specifier} leaves the package: import the other one by name` })),
  )

/** Every format has one page in docs/ of the same name, and every such page its format. */
export const formatsHavePages: Rule = (tree) => {
  const name = (path: string) => posix.basename(path).replace(/\.(ts|md)$/, '')
  const formats = tree.filter(({ path }) => /^(packages|apps)\/.*-format\.ts$/.test(path))
  const pages = tree.filter(({ path }) => /^docs\/.*-format\.md$/.test(path))
  const formatNames = new Set(formats.map(({ path }) => name(path)))
  const pageNames = new Set(pages.map(({ path }) => name(path)))
  return [
    ...formats
      .filter(({ path }) => !pageNames.has(name(path)))
      .map(({ path }) => ({ path, rule: `needs a page ${name(path)}.md in docs/` })),
    ...pages
      .filter(({ path }) => !formatNames.has(name(path)))
      .map(({ path }) => ({ path, rule: `describes no ${name(path)}.ts` })),
  ]
}

const impure: [RegExp, string][] = [
  [/\basync\b|\bawait\b/, 'async'],
  [/\bnew Date\b|\bDate\.now\b|\bperformance\.now\b|\bhrtime\b/, 'a clock'],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, 'a timer'],
  [/\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\bgetRandomValues\b/, 'randomness'],
  [/\bconsole\./, 'logging'],
]
const impureModules =
  /^(node:)?(net|tls|dgram|http|https|http2|dns|fs|timers|worker_threads|child_process|crypto)(\/|$)|^pino$/

/** The cluster is state machines: what is not a function of its input belongs to runtime/. */
export const clusterIsPure: Rule = (tree) =>
  tree
    .filter((file) => /^packages\/cluster\/src\/(?!runtime\/)/.test(file.path) && isSource(file) && !isTest(file.path))
    .flatMap(({ path, text }) => {
      const code = codeOnly(text)
      return [
        ...impure.filter(([pattern]) => pattern.test(code)).map(([, what]) => what),
        ...imports(text).filter((specifier) => impureModules.test(specifier)),
      ].map((what) => ({ path, rule: `only packages/cluster/src/runtime may use ${what}` }))
    })

// As the last word of a name: `longest-common-subsequence` says something, `string-common` does not.
const vague = /(^|-)(utils?|helpers?|common|managers?)(\.[a-z0-9]+)*$/
const upperCaseNames = new Set(['README.md', 'CHANGELOG.md', 'LICENSE.md'])

/** Names say what a thing is, in kebab-case. */
export const namesArePlain: Rule = (tree) => {
  const names = new Map<string, string>()
  for (const { path } of tree) {
    const parts = path.split('/')
    for (let i = 0; i < parts.length; i++) names.set(parts.slice(0, i + 1).join('/'), parts[i]!)
  }
  return [...names].flatMap(([path, name]) => {
    if (vague.test(name)) return [{ path, rule: 'a name that says nothing: call it what it does' }]
    // Decision pages are numbered: 0001-name.md.
    if (!upperCaseNames.has(name) && !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name))
      return [{ path, rule: 'names are in kebab-case' }]
    return []
  })
}

export const rules = {
  layersPointDown,
  onlyIoTouchesFiles,
  noPathsAcrossPackages,
  formatsHavePages,
  clusterIsPure,
  namesArePlain,
}
