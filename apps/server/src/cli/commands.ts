import type { Command } from './command-context.js'

export interface CommandDefinition {
  name: string
  /** As commander takes them: `<needed>`, `[optional]`. */
  arguments: readonly (readonly [name: string, help: string])[]
  help: string
  examples: readonly string[]
  /** Loaded when it runs: `get` must not wait for the server's modules. */
  load: () => Promise<Command>
}

export const commandDefinitions: readonly CommandDefinition[] = [
  {
    name: 'server',
    arguments: [],
    help: 'Run a node in the foreground',
    examples: ['caskade server', 'caskade server --data-dir /var/lib/caskade --durability sync'],
    load: async () => (await import('./server.js')).server,
  },
  {
    name: 'get',
    arguments: [['<key>', 'the key']],
    help: 'Print the value of a key',
    examples: ['caskade get greeting', 'caskade get greeting -o json'],
    load: async () => (await import('./get.js')).get,
  },
  {
    name: 'put',
    arguments: [
      ['<key>', 'the key'],
      ['[value]', 'the value; or --file'],
    ],
    help: 'Store a value under a key',
    examples: [
      'caskade put greeting hello',
      `caskade put user:1 '{"name": "Ada"}' --type json`,
      'caskade put photo --type binary --file photo.jpg',
    ],
    load: async () => (await import('./put.js')).put,
  },
  {
    name: 'del',
    arguments: [['<key>', 'the key']],
    help: 'Delete a key',
    examples: ['caskade del greeting'],
    load: async () => (await import('./del.js')).del,
  },
  {
    name: 'scan',
    arguments: [],
    help: 'List records in key order',
    examples: ['caskade scan --prefix debian/python3- --limit 10', 'caskade scan --keys-only -o ndjson'],
    load: async () => (await import('./scan.js')).scan,
  },
  {
    name: 'import',
    arguments: [['<file>', 'NDJSON, one {"key", "value"} a line; .gz is unpacked; - is standard input']],
    help: 'Store the records of a file; run again after an interruption, it goes on where it was',
    examples: ['caskade import packages.ndjson.gz'],
    load: async () => (await import('./import.js')).importFile,
  },
  {
    name: 'export',
    arguments: [['[file]', 'NDJSON, packed where the name ends in .gz; standard output where absent or -']],
    help: 'Write the records to a file, in key order',
    examples: ['caskade export backup.ndjson.gz', 'caskade export --prefix user: users.ndjson'],
    load: async () => (await import('./export.js')).exportFile,
  },
  {
    name: 'status',
    arguments: [],
    help: 'Show what a node does and how it is',
    examples: ['caskade status', 'caskade status -o json'],
    load: async () => (await import('./status.js')).status,
  },
  {
    name: 'convert',
    arguments: [
      ['<from>', 'a data directory that no node has open'],
      ['<to>', 'a directory that is empty or not there'],
    ],
    help: 'Copy a data directory into one of the backend --store',
    examples: ['caskade convert ./data ./data-bitcask --store bitcask'],
    load: async () => (await import('./convert.js')).convert,
  },
  {
    name: 'check',
    arguments: [['[directory]', 'a data directory that no node has open; --data-dir where absent']],
    help: 'Read every byte of a data directory against its checksums',
    examples: ['caskade check ./data'],
    load: async () => (await import('./check.js')).check,
  },
  {
    name: 'repair',
    arguments: [['[directory]', 'a damaged data directory that no node has open; --data-dir where absent']],
    help: 'Make a damaged data directory one that opens; damaged files move to lost/',
    examples: ['caskade repair ./data'],
    load: async () => (await import('./repair.js')).repair,
  },
  {
    name: 'dump',
    arguments: [
      ['<file>', 'a file of a data directory: NNNNNN.log, .sst, .data, .hint or .keydir, MANIFEST-NNNNNN or CURRENT'],
    ],
    help: 'Print a data file as text: offsets, fields, records, and what is damaged',
    examples: ['caskade dump data/000012.sst', 'caskade dump data/MANIFEST-000001'],
    load: async () => (await import('./dump.js')).dump,
  },
  {
    name: 'bench',
    arguments: [],
    help: 'Measure a running node, quickly; writes and deletes keys under caskade-bench/',
    examples: ['caskade bench --requests 20000'],
    load: async () => (await import('./bench.js')).bench,
  },
  {
    name: 'config print',
    arguments: [],
    help: 'Show every setting, its value and where that came from',
    examples: ['caskade config print', 'CASKADE_HTTP_PORT=8080 caskade config print -o json'],
    load: async () => (await import('./config-print.js')).configPrint,
  },
]
