import { Command, type CommanderError, Option } from 'commander'
import { loadConfig } from '../config/load-config.js'
import { describeType } from '../config/setting-type.js'
import { type Setting, settings, variableOf } from '../config/settings.js'
import { version } from '../version.js'
import type { CommandContext } from './command-context.js'
import { type CommandDefinition, commandDefinitions } from './commands.js'
import { type ExitCode, exitCode } from './exit-code.js'

export type ProgramStreams = Pick<CommandContext, 'out' | 'err' | 'input'>

const camelCase = (name: string) => name.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase())

function addSetting(command: Command, setting: Setting): void {
  const short = setting.short === undefined ? '' : `-${setting.short}, `
  const fallback = setting.default ?? setting.unset
  const help = `${setting.help}${typeof setting.type === 'object' ? ` (${describeType(setting.type)})` : ''}${fallback === undefined || fallback === false ? '' : ` [${fallback}]`}`
  if (setting.type !== 'boolean') {
    const placeholder = typeof setting.type === 'object' ? 'form' : setting.type
    command.addOption(new Option(`${short}--${setting.name} <${placeholder}>`, help))
    return
  }
  // Both forms, so that a flag can overrule a variable or the file either way; help shows the one that changes something.
  command.addOption(new Option(`${short}--${setting.name}`, help).hideHelp(setting.default === true))
  command.addOption(new Option(`--no-${setting.name}`, `not: ${setting.help}`).hideHelp(setting.default !== true))
}

function typedFlags(command: Command): Record<string, unknown> {
  const typed = command.optsWithGlobals<Record<string, unknown>>()
  return Object.fromEntries(
    settings.map(({ name }) => [name, typed[camelCase(name)]] as const).filter(([, value]) => value !== undefined),
  )
}

const variablesHelp = (definition: CommandDefinition) => {
  const names = settings.filter(({ commands }) => (commands as readonly string[]).includes(definition.name))
  const example = names[0] === undefined ? '' : `, --${names[0].name} as ${variableOf(names[0].name)}`
  return `\nEvery flag is also a variable and a key of the config file (--config FILE)${example}.\n`
}

/** The whole command line; `finish` is told the exit code of the subcommand that ran. */
export function createProgram(
  streams: ProgramStreams,
  environment: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): Command {
  const program = new Command('caskade')
    .description('A key-value store that speaks Redis and HTTP')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    })
    .showHelpAfterError('("caskade help" lists what there is)')
  program.enablePositionalOptions()

  for (const definition of commandDefinitions) {
    const words = definition.name.split(' ')
    let parent = program
    for (const word of words.slice(0, -1))
      parent = parent.commands.find((known) => known.name() === word) ?? parent.command(word).description('Settings')
    const command = parent.command(words.at(-1)!).description(definition.help)
    for (const [name, help] of definition.arguments) command.argument(name, help)
    for (const setting of settings as readonly Setting[])
      if (setting.commands.includes(definition.name) || definition.name === 'config print') addSetting(command, setting)
    command
      .option('--config <path>', 'config file, YAML or JSON (variable CASKADE_CONFIG)')
      .addHelpText(
        'after',
        `\nExamples:\n${definition.examples.map((example) => `  ${example}\n`).join('')}${variablesHelp(definition)}`,
      )
      .action(async () => {
        const config = await loadConfig(
          typedFlags(command),
          environment,
          command.opts<{ config?: string }>().config ?? environment.CASKADE_CONFIG,
        )
        const run = await definition.load()
        finish(await run({ config, args: command.args, ...streams }))
      })
  }
  return program
}

/** Commander's own endings: help and version are fine, everything else was a wrong command line. */
export const exitCodeOf = (error: CommanderError): ExitCode => (error.exitCode === 0 ? exitCode.ok : exitCode.usage)
