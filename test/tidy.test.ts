import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Rule, rules } from './tidy/boundary-rules.js'
import { readSourceTree } from './tidy/source-tree.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tree = readSourceTree(root)

test('the whole tree is read', () => {
  const paths = tree.map(({ path }) => path)
  expect(paths).toContain('packages/engine/src/store.ts')
  expect(paths).toContain('test/tidy.test.ts')
  expect(paths).toContain('packages/mmap/package.json')
})

test.each(Object.entries(rules))('%s', (_name, rule) => {
  expect(rule(tree)).toEqual([])
})

const manifest = (directory: string, name: string, dependencies = {}) => ({
  path: `${directory}/package.json`,
  text: JSON.stringify({ name, dependencies }),
})
const found = (rule: Rule, ...planted: { path: string; text: string }[]) => rule(planted).map(({ path }) => path)

describe('each rule finds what is planted', () => {
  test.each([
    `import { openStore } from '@caskade/engine'`,
    `import '@caskade/server'`,
    `import type { Store } from "@caskade/engine"`,
    `export * from '@caskade/engine'`,
    `const engine = await import('@caskade/engine')`,
    `import {\n  openStore,\n} from '@caskade/engine'`,
  ])('an import upwards: %s', (text) => {
    const planted = { path: 'packages/mmap/src/mapping.ts', text }
    expect(found(rules.layersPointDown, manifest('packages/mmap', '@caskade/mmap'), planted)).toEqual([planted.path])
    const below = { path: 'apps/server/src/node.ts', text: text.replace('/server', '/engine') }
    expect(found(rules.layersPointDown, manifest('apps/server', '@caskade/server'), below)).toEqual([])
  })

  test('a dependency upwards, sideways, or on an unknown package', () => {
    const planted = [
      manifest('packages/engine', '@caskade/engine', { '@caskade/server': 'workspace:^' }),
      manifest('packages/cluster', '@caskade/cluster', { '@caskade/client': 'workspace:^' }),
      manifest('packages/client', '@caskade/client', { '@caskade/surprise': 'workspace:^' }),
      manifest('packages/surprise', '@caskade/surprise'),
    ]
    expect(found(rules.layersPointDown, ...planted)).toEqual(planted.map(({ path }) => path))
  })

  test.each(['node:fs', 'node:fs/promises', 'fs', '@caskade/mmap'])('%s outside io', (specifier) => {
    const text = `import { open } from '${specifier}'`
    const planted = { path: 'packages/engine/src/lsm/flush-run.ts', text }
    const allowed = ['packages/engine/src/io/node-storage.ts', 'packages/engine/src/lsm/flush-run.test.ts'].map(
      (path) => ({
        path,
        text,
      }),
    )
    expect(found(rules.onlyIoTouchesFiles, planted, ...allowed)).toEqual([planted.path])
  })

  test('a path across packages', () => {
    const planted = {
      path: 'apps/server/src/node.ts',
      text: `import { x } from '../../../packages/engine/src/open.js'`,
    }
    const allowed = { path: 'apps/server/src/resp/parser.ts', text: `import { x } from '../node.js'` }
    const peers = { path: 'bench/peers/src/peers-main.ts', text: `import { x } from '../../results/machine.js'` }
    expect(found(rules.noPathsAcrossPackages, planted, allowed, peers)).toEqual([planted.path, peers.path])
  })

  test('a format without a page, a page without a format', () => {
    const planted = [
      { path: 'packages/engine/src/lsm/log/log-format.ts', text: '' },
      { path: 'packages/engine/src/lsm/table/table-format.ts', text: '' },
      { path: 'docs/engine/table-format.md', text: '' },
      { path: 'docs/engine/hint-format.md', text: '' },
    ]
    expect(found(rules.formatsHavePages, ...planted)).toEqual([planted[0]!.path, planted[3]!.path])
  })

  test.each([
    'export async function step() {}',
    'const now = Date.now()',
    'const now = new Date()',
    'setTimeout(step, 10)',
    'const dice = Math.random()',
    `import { connect } from 'node:net'`,
    'console.error(state)',
  ])('impurity in the cluster: %s', (text) => {
    const planted = { path: 'packages/cluster/src/membership/suspicion.ts', text }
    const allowed = { path: 'packages/cluster/src/runtime/peer-link.ts', text }
    expect(found(rules.clusterIsPure, planted, allowed)).toEqual([planted.path])
  })

  test('words in comments and strings are not impurity', () => {
    const text = `// an async Date.now() would be wrong here\nconst why = 'console.log and setTimeout'\n/* Math.random */`
    expect(found(rules.clusterIsPure, { path: 'packages/cluster/src/ring.ts', text })).toEqual([])
  })

  test.each([
    'packages/engine/src/utils/bytes.ts',
    'apps/server/src/string-helpers.ts',
    'packages/engine/src/cache-manager.ts',
    'apps/server/src/common.ts',
    'packages/engine/src/lsm/TableReader.ts',
    'docs/engine/Table_Format.md',
  ])('the name %s', (path) => {
    expect(found(rules.namesArePlain, { path, text: '' })).toHaveLength(1)
  })

  test('a plain name', () => {
    const path = 'apps/server/src/resp/longest-common-subsequence.test.ts'
    expect(found(rules.namesArePlain, { path, text: '' })).toEqual([])
  })
})
