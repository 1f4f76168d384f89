// Completion in shells: a small script asks the command itself for the candidates.

import { Argument, type Command, type Option } from 'commander';
import { readContexts } from './contexts.ts';
import { toJson } from './output.ts';
import type { CliTerminal } from './terminal.ts';

export function addCompletion(program: Command, terminal: CliTerminal): void {
  program
    .command('completion')
    .summary('print the completion script of a shell')
    .description(
      'Prints a script that completes commands, options and contexts. For bash: source <(trunkline completion bash)',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .action(async (shell: string, _: object, command: Command) => {
      const script = SCRIPTS[shell]!;
      const asJson = command.optsWithGlobals()['json'] === true;
      await terminal.out(asJson ? `${toJson({ shell, script })}\n` : script);
    });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const found = await candidates(program, words, terminal);
      await terminal.out(found.map((word) => `${word}\n`).join(''));
    });
}

/**
 * Returns the candidates for the last word. `words` are the words after 'trunkline'; the last one
 * may be incomplete.
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  terminal: CliTerminal,
): Promise<string[]> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  let command = program;
  for (const word of before)
    command = command.commands.find((each) => each.name() === word) ?? command;
  const options = [...command.options, ...(command === program ? [] : program.options)];
  const open = options.find((option) => option.required && isNamed(option, before.at(-1)));
  const all =
    open !== undefined
      ? await valuesOf(open, terminal)
      : [
          ...command.commands.filter((each) => !isHidden(each)).map((each) => each.name()),
          ...(command.parent?.name() === 'context' ? await contextNames(terminal) : []),
          ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
          ...(last.startsWith('-') ? options.map(({ long, short }) => long ?? short ?? '') : []),
        ];
  return all.filter((candidate) => candidate.startsWith(last)).sort();
}

function isNamed({ long, short }: Option, word: string | undefined): boolean {
  return word !== undefined && (word === long || word === short);
}

function isHidden(command: Command): boolean {
  return command.name() === 'complete';
}

async function valuesOf(option: Option, terminal: CliTerminal): Promise<readonly string[]> {
  if (option.argChoices !== undefined) return option.argChoices;
  return option.long === '--context' ? contextNames(terminal) : [];
}

async function contextNames(terminal: CliTerminal): Promise<string[]> {
  const { contexts } = await readContexts(terminal).catch(() => ({ contexts: {} }));
  return Object.keys(contexts);
}

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_trunkline() {
  mapfile -t COMPREPLY < <(trunkline complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _trunkline trunkline
`,
  zsh: `#compdef trunkline
_trunkline() {
  local -a found
  found=("\${(@f)$(trunkline complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $found || _files
}
compdef _trunkline trunkline
`,
  fish: `complete -c trunkline -f -a '(trunkline complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
};
