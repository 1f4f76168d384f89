// The page of the documentation about the command, made from its help.

import type { Command } from 'commander';
import { createProgram, exitCodes } from './program.ts';
import type { CliTerminal } from './terminal.ts';

/** Returns docs/cli.md. */
export function helpPage(): string {
  // Help does not use the terminal.
  const program = createProgram({} as CliTerminal, { exit: () => {}, help: () => {} });
  const commands = leaves(program);
  const sections = commands.map((command) => `## ${nameOf(command)}\n\n${helpOf(command)}`);
  return `${INTRODUCTION}\n## Options of every command\n\n${helpOf(program)}\n${CODES}\n${sections.join('\n')}\n${NEXT}\n`;
}

/**
 * Returns the help of a command as a block, without its subcommands, headings and the option
 * `--help`.
 */
function helpOf(command: Command): string {
  const [help = ''] = command.helpInformation().split('\nCommands:\n');
  const text = help
    .replace(/^Usage: /, '')
    .replace(' [options]', '')
    .replace(/^(Arguments|Options):\n| +-h, --help .*\n/gm, '')
    .replace(/\n{2,}/g, '\n\n');
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

/** Returns the commands that do something, not those that only have subcommands. */
function leaves(command: Command): Command[] {
  return command.commands
    .filter((each) => each.name() !== 'complete')
    .flatMap((each) => (each.commands.length > 0 ? leaves(each) : [each]));
}

function nameOf(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`;
}

const NEXT = `**Next:** [reflection](reflection.md) lets the command call your methods, and [administration](admin.md)
lets it watch a node.`;

const INTRODUCTION = `# The command line

\`trunkline\` calls methods of nodes, watches nodes, compares schemas, makes certificates and shows
[recorded simulations](replay.md).

\`\`\`sh
npx @trunkline/cli --help
npm install --global @trunkline/cli
\`\`\`

Until the packages are on npm, install [tarballs of a clone](start.md#install) in a folder, and run
\`npx trunkline\` in this folder.

Commands that call methods or show schemas need a node that serves [reflection](reflection.md).
\`health\` needs the [health protocol](health.md#health). \`watch\`, \`top\`, \`peers\`, \`topics\`,
\`dashboard\`, \`disconnect\`, \`ban\`, \`unban\`, \`drain\` and \`log-level\` need the [admin
protocol](admin.md).

## A first call

In [a clone](start.md#install), \`npx pnpm@12 demo --stay\` starts a Raft cluster with TLS and
reflection, and prints commands for another terminal in the same folder:

\`\`\`sh
export TRUNKLINE_CONTEXTS=…/contexts.json    # has the address and the keys
alias trunkline='node packages/cli/dist/main.js'
trunkline ls
trunkline call store/set '{"key":"color","value":"blue"}'
trunkline call store/get '{"key":"color"}'
\`\`\`

## A server of your own

Add [reflection](reflection.md) to the server of [the first program](start.md#the-first-call), and
these certificates:

<!-- from docs/src/start/tls-server.ts -->
\`\`\`ts
const tls = { key: read('node.key'), cert: read('node.crt'), ca: read('ca.crt') };
const server = createTransport(address, { protocol: greeter, backends: [tcp({ tls })] });
\`\`\`

Make the certificates, start the server in their folder, and call it:

\`\`\`sh
trunkline cert ca                          # ca.key and ca.crt
trunkline cert issue -o node               # node.key and node.crt, for the server
trunkline cert issue -o me                 # me.key and me.crt, for you
trunkline context add greeter --use -a tcp://127.0.0.1:7000 --ca ca.crt --cert me.crt --key me.key
trunkline describe greeter/greet
trunkline call greeter/greet '{"name":"Ada"}'
\`\`\`

Without TLS, you need no context: pass \`--address\`. Options take precedence over environment
variables, which take precedence over the [context](#trunkline-context-add). If you give an address
without \`--context\`, no context is used, so another node never gets the token of the context. For
the same reason, \`--address\` alone ignores \`TRUNKLINE_CONTEXT\`, and \`--context\` alone ignores
\`TRUNKLINE_ADDRESS\`. The command sends its token (\`--token\`) in the
[hello](wire-protocol.md#3-the-hello) and with each call.

With the default [overlay](gossip.md#which-overlay), a full mesh, [\`trunkline pub\`](#trunkline-pub)
must be able to connect to each \`trunkline sub\`. With TLS, \`pub\` and \`sub\` commands that run at the
same time need different keys.
`;

const CODES = `## Exit codes

\`\`\`text
${exitCodes()}
\`\`\`

Codes 11 to 26 are 10 plus the number of the error's [code](errors.md#codes). The command writes
results to standard output, and messages and errors, of one line each, to standard error.

With \`--json\`, every line of both outputs is JSON. An error is an object:
\`{"error":{"code":"…","reason":"…","message":"…","hint":"…"}}\`. Wrong arguments have the code
\`invalid_argument\`.
`;
