import { bitsCommands } from './bits-commands.js'
import { type Command, CommandIndex, type CommandSpec } from './command.js'
import { lowerCase } from './command-arguments.js'
import { connectionCommands } from './connection-commands.js'
import { expiryCommands } from './expiry-commands.js'
import { keyspaceCommands } from './keyspace-commands.js'
import { serverCommands } from './server-commands.js'
import { stringsCommands } from './strings-commands.js'
import { transactionCommands } from './transaction-commands.js'

/** In the order in which Redis lists them. */
const categoryOrder = ['keyspace', 'read', 'write', 'string', 'bitmap', 'admin', 'fast', 'slow', 'dangerous']
  .concat(['connection', 'transaction', 'scripting'])
  .map((name) => `@${name}`)

/** Every command this server knows, once: dispatch, COMMAND, statistics and key checks all read it. */
export class CommandTable extends CommandIndex {
  /** Subcommands included, by `number`. */
  readonly numbered: readonly Command[]

  constructor() {
    const numbered: Command[] = []
    const families: [group: string, category: string, specs: readonly CommandSpec[]][] = [
      ['string', '@string', stringsCommands],
      ['bitmap', '@bitmap', bitsCommands],
      ['generic', '@keyspace', expiryCommands],
      ['generic', '@keyspace', keyspaceCommands],
      ['connection', '@connection', connectionCommands],
      ['server', '', serverCommands],
      ['transactions', '@transaction', transactionCommands],
    ]
    const place = (spec: CommandSpec, parent: string, group: string, category: string): Command => {
      const flagNames = spec.flags?.split(' ') ?? []
      const has = (flag: string) => flagNames.includes(flag)
      const [firstKey, lastKey, keyStep] = spec.keys ?? [0, 0, 0]
      const number = numbered.length
      const categories = new Set([
        ...(spec.subcommands !== undefined && spec.name !== 'command' ? [] : (spec.categories ?? category).split(' ')),
        ...(has('readonly') ? ['@read'] : []),
        ...(has('write') ? ['@write'] : []),
        ...(has('admin') ? ['@admin', '@dangerous'] : []),
        has('fast') ? '@fast' : '@slow',
      ])
      const command: Command & { children: CommandIndex | undefined } = {
        ...spec,
        number,
        fullName: parent + spec.name,
        group,
        flagNames,
        aclCategories: categoryOrder.filter((name) => categories.has(name)),
        isWrite: has('write'),
        isFast: has('fast'),
        needsAuth: !has('no_auth'),
        firstKey,
        lastKey,
        keyStep,
        children: undefined,
      }
      numbered.push(command)
      if (spec.subcommands !== undefined) {
        const below = spec.subcommands.map((sub) => place(sub, `${spec.name}|`, group, spec.categories ?? category))
        command.children = new CommandIndex(below, lowerCase)
      }
      return command
    }
    super(
      families.flatMap(([group, category, specs]) => specs.map((spec) => place(spec, '', group, category))),
      lowerCase,
    )
    this.numbered = numbered
  }
}
