import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../node.test-fixture.js'
import { settingsTable } from './config-docs.js'
import { loadConfig, passwordFrom } from './load-config.js'
import { nearestName } from './nearest-name.js'
import { Config, resolveConfig } from './resolve-config.js'
import { parseSetting } from './setting-type.js'
import { settings, variableOf } from './settings.js'

const resolve = (
  flags: Record<string, unknown> = {},
  environment: Record<string, string> = {},
  content: unknown = undefined,
) => resolveConfig({ flags, environment, file: content === undefined ? undefined : { path: 'c.yaml', content } })

describe('precedence', () => {
  test('a flag over a variable over the file over the default, with where each came from', () => {
    const all = resolve(
      { 'http-port': '1' },
      { CASKADE_HTTP_PORT: '2', CASKADE_RESP_PORT: '3' },
      { 'http-port': 4, 'resp-port': 5, durability: 'sync' },
    )
    expect(all.get('http-port')).toEqual({ value: 1, source: 'flag', from: '--http-port' })
    expect(all.get('resp-port')).toEqual({ value: 3, source: 'environment', from: 'CASKADE_RESP_PORT' })
    expect(all.get('durability')).toEqual({ value: 'sync', source: 'file', from: 'c.yaml' })
    expect(all.get('mmap')).toEqual({ value: 'auto', source: 'default', from: undefined })
    expect(all.get('password')).toEqual({ value: undefined, source: 'unset', from: undefined })
  })

  test('a flag can also say no', () => {
    expect(resolve({ insecure: false }, { CASKADE_INSECURE: 'yes' }).get('insecure')?.value).toBe(false)
    expect(resolve({}, { CASKADE_INSECURE: '1' }).get('insecure')?.value).toBe(true)
  })

  test('every setting has a variable and a key in the file', () => {
    const sample = (setting: (typeof settings)[number]): string | number | boolean => {
      if (typeof setting.type === 'object') return setting.type.oneOf[0]
      if (setting.type === 'boolean') return true
      return setting.type === 'text' || setting.type === 'path' ? 'x' : 'min' in setting ? setting.min : 7
    }
    for (const setting of settings) {
      expect(
        resolve({}, { [variableOf(setting.name)]: String(sample(setting)) }).get(setting.name)?.source,
        setting.name,
      ).toBe('environment')
      expect(resolve({}, {}, { [setting.name]: sample(setting) }).get(setting.name)?.value, setting.name).toBe(
        sample(setting),
      )
    }
  })
})

describe('mistakes', () => {
  test.each([
    [{ 'http-port': '70000' }, {}, undefined, '--http-port takes a port from 0 (any free one) to 65535, not "70000"'],
    [{}, { CASKADE_DURABILITY: 'fsync' }, undefined, 'CASKADE_DURABILITY takes os or interval or sync, not "fsync"'],
    [
      {},
      {},
      { 'cache-bytes': 'lots' },
      'c.yaml: cache-bytes takes a number of bytes, such as 1048576, 64MiB or 512k, not "lots"',
    ],
    [{}, {}, { 'http-prot': 1 }, 'c.yaml: there is no setting "http-prot"; did you mean http-port?'],
    [{}, {}, { zzzzzzzz: 1 }, 'c.yaml: there is no setting "zzzzzzzz"'],
    [{}, {}, [1], 'c.yaml: a config file holds settings by name'],
    [
      {},
      { CASKADE_HTTP_PROT: '1' },
      undefined,
      'there is no setting for CASKADE_HTTP_PROT; did you mean CASKADE_HTTP_PORT?',
    ],
    [{ 'value-bytes-max': '10' }, {}, undefined, '--value-bytes-max is from 65536 to 268435456, not 10'],
    [{ 'max-clients': '0' }, {}, undefined, '--max-clients is at least 1, not 0'],
    [{}, {}, { password: ['secret'] }, 'c.yaml: password takes text, not (hidden)'],
  ])('%j %j %j', (flags, environment, content, message) => {
    expect(() => resolve(flags, environment as Record<string, string>, content)).toThrow(message)
  })

  test('a variable of another program is let be', () => {
    expect(() => resolve({}, { CASKADE_UNRELATED_THING: '1' })).not.toThrow()
  })
})

test.each([
  ['bytes', '64MiB', 67_108_864],
  ['bytes', '1.5k', 1536],
  ['bytes', '512 KB', 524_288],
  ['bytes', '10', 10],
  ['bytes', '-1', undefined],
  ['bytes', '1e3', undefined],
  ['integer', '1.5', undefined],
  ['integer', '99999999999999999999', undefined],
  ['integer', '', undefined],
  ['number', '0.5', 0.5],
  ['number', 'Infinity', undefined],
  ['boolean', 'Off', false],
  ['boolean', '', undefined],
  ['path', ' ', undefined],
] as const)('%s of %j is %s', (type, text, value) => {
  expect(parseSetting(type, text)).toBe(value)
})

test('the nearest name', () => {
  const known = ['http-port', 'resp-port', 'data-dir']
  expect(nearestName('htpt-port', known)).toBe('http-port')
  expect(nearestName('datadir', known)).toBe('data-dir')
  expect(nearestName('colour', known)).toBeUndefined()
})

describe('files', () => {
  test('YAML and JSON are read, anything else is refused by name', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'caskade.yaml')
    await writeFile(path, '# node\nhttp-port: 8080\ncache-bytes: 1MiB\ninsecure: true\n')
    const config = await loadConfig({}, { CASKADE_CONFIG: path })
    expect([config.number('http-port'), config.number('cache-bytes'), config.boolean('insecure')]).toEqual([
      8080,
      1_048_576,
      true,
    ])
    await writeFile(path, '{"http-port": 8081}')
    expect((await loadConfig({}, {}, path)).number('http-port')).toBe(8081)
    await writeFile(path, '')
    expect((await loadConfig({}, {}, path)).number('http-port')).toBe(7380)
    await writeFile(path, 'a: [')
    await expect(loadConfig({}, {}, path)).rejects.toThrow('neither YAML nor JSON')
    await writeFile(path, 'http-port: 1\nhttp-port: 2\n')
    await expect(loadConfig({}, {}, path)).rejects.toThrow('neither YAML nor JSON')
    await expect(loadConfig({}, {}, join(directory, 'none'))).rejects.toThrow('cannot read the config file')
  })

  test('a password file is for its owner only', async () => {
    const path = join(await temporaryDirectory(), 'password')
    const config = (more: Record<string, unknown> = {}) => new Config(resolve({ 'password-file': path, ...more }))
    await expect(passwordFrom(config())).rejects.toThrow('cannot read the password file')
    await writeFile(path, 'secret word\nmore\n')
    await chmod(path, 0o640)
    await expect(passwordFrom(config())).rejects.toThrow(`can be read by others (mode 0640): run "chmod 600 ${path}"`)
    await chmod(path, 0o600)
    expect(await passwordFrom(config())).toBe('secret word')
    await expect(passwordFrom(config({ password: 'x' }))).rejects.toThrow('both password and password-file')
    await writeFile(path, '\n')
    await expect(passwordFrom(config())).rejects.toThrow('no password on its first line')
  })
})

test('the documentation has the table of settings', async () => {
  const page = await readFile(new URL('../../../../docs/operations/configuration.md', import.meta.url), 'utf8')
  expect(page).toContain(settingsTable())
})
