// trunkline context: saves the settings of connections under names.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Context, contextsFile, noContext, readContexts, writeContexts } from '../contexts.ts';
import { UsageError } from '../exit-codes.ts';
import { checkAddress, type GlobalOptions } from '../node.ts';
import { say, table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';

export function addContext(program: Command, terminal: CliTerminal): void {
  const context = program
    .command('context')
    .summary('save the address and keys of nodes under names')
    .description(
      'Saves settings of connections under names: the address, TLS, the token and the network. The file can be read by its owner only. TRUNKLINE_CONTEXTS names another file.',
    );
  context
    .command('add')
    .summary('save a context')
    .description(
      'Saves the options --address, --ca, --cert, --key, --token and --network as a context. Contexts are saved in ~/.config/trunkline/contexts.json, which only its owner can read. XDG_CONFIG_HOME names another folder than ~/.config, and TRUNKLINE_CONTEXTS another file.',
    )
    .argument('<name>', 'the name of the context')
    .option('--use', 'use this context from now on; the first context needs no --use')
    .action(async (name: string, { use }: { use?: boolean }, command: Command) => {
      const options: GlobalOptions = command.optsWithGlobals();
      if (options.address === undefined)
        throw new UsageError('context add: give the address of the node with --address');
      checkAddress(options.address);
      const full = (file: string | undefined) => (file === undefined ? undefined : resolve(file));
      const added: Context = {
        address: options.address,
        ca: full(options.ca),
        cert: full(options.cert),
        key: full(options.key),
        token: options.token,
        network: options.network,
      };
      const { current, contexts } = await readContexts(terminal);
      const next = use === true || current === undefined ? name : current;
      await writeContexts(terminal, { current: next, contexts: { ...contexts, [name]: added } });
      const path = contextsFile(terminal);
      const isCurrent = next === name;
      const text = `saved in ${path}${isCurrent ? ', and used from now on' : ''}`;
      say(command, terminal, text, { file: path, name, isCurrent });
    });
  context
    .command('ls')
    .summary('list the contexts')
    .description('Lists the contexts. The one in use has a star. Tokens are not shown.')
    .action(async (_: object, command: Command) => {
      const { current, contexts } = await readContexts(terminal);
      if (command.optsWithGlobals()['json'] === true) {
        const shown = Object.entries(contexts).map(([name, { token, ...each }]) => [
          name,
          { ...each, hasToken: token !== undefined, isCurrent: name === current },
        ]);
        return terminal.out(`${toJson(Object.fromEntries(shown))}\n`);
      }
      const rows = Object.entries(contexts).map(([name, each]) => [
        name === current ? `* ${name}` : `  ${name}`,
        each.address ?? '–',
        each.key === undefined ? 'no' : 'yes',
        each.token === undefined ? 'no' : 'yes',
        each.network ?? 'default',
      ]);
      return terminal.out(table([['  NAME', 'ADDRESS', 'TLS', 'TOKEN', 'NETWORK'], ...rows]));
    });
  context
    .command('use')
    .summary('choose the context of further commands')
    .description('Chooses the context that commands use if they get no --context.')
    .argument('<name>', 'the name of the context')
    .action(async (name: string) => {
      const { contexts } = await readContexts(terminal);
      checkKnown(contexts, name);
      await writeContexts(terminal, { current: name, contexts });
    });
  context
    .command('rm')
    .summary('remove a context')
    .description('Removes a context.')
    .argument('<name>', 'the name of the context')
    .action(async (name: string) => {
      const { current, contexts } = await readContexts(terminal);
      checkKnown(contexts, name);
      const { [name]: _, ...rest } = contexts;
      await writeContexts(terminal, {
        current: current === name ? undefined : current,
        contexts: rest,
      });
    });
}

function checkKnown(contexts: Readonly<Record<string, Context>>, name: string): void {
  if (Object.hasOwn(contexts, name)) return;
  throw noContext(name, contexts);
}
