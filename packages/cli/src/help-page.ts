// The page of the documentation about the command, made from its help.

import type { Command } from 'commander';
import { EXIT_CODES } from './exit-codes.ts';
import { createProgram } from './program.ts';
import type { CliTerminal } from './terminal.ts';

/** Returns docs/cli.md. */
export function helpPage(): string {
  // Help does not use the terminal.
  const program = createProgram({} as CliTerminal, { exit: () => {}, help: () => {} });
  const commands = leaves(program);
  const list = commands.map(
    (command) => `- [\`${nameOf(command)}\`](#${anchorOf(command)}): ${command.summary()}`,
  );
  const sections = commands.map(
    (command) =>
      `## ${nameOf(command)}\n\n\`\`\`text\n${command.helpInformation().trimEnd()}\n\`\`\`\n`,
  );
  return `${INTRODUCTION}\n${list.join('\n')}\n\n## Options of every command\n\n\`\`\`text\n${program.helpInformation().trimEnd()}\n\`\`\`\n\n${CODES}\n${sections.join('\n')}\n${NEXT}\n`;
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

function anchorOf(command: Command): string {
  return nameOf(command).replaceAll(' ', '-');
}

const NEXT = `**Next:** [reflection](reflection.md) lets the command call your methods, and [administration](admin.md)
lets it watch a node.`;

const INTRODUCTION = `# The command line

\`trunkline\` calls methods of nodes, watches nodes, compares schemas, makes certificates
and shows [recorded simulations](replay.md).

\`\`\`sh
npx @trunkline/cli --help
npm install --global @trunkline/cli
\`\`\`

As long as the packages are not on npm, install the tarballs of [a clone](start.md#install) in a
folder, and run \`npx trunkline\` there.

Calls and schemas need a node that serves [reflection](reflection.md). \`watch\`, \`top\`, \`peers\`,
\`topics\` and \`dashboard\` need its [admin protocol](admin.md). So do \`disconnect\`, \`ban\`, \`drain\`
and \`log-level\`, if the node lets its tools change it. \`health\` needs its
[health protocol](health.md#health). \`pub\` and \`sub\` join the network as a node of its own.
[\`dashboard\`](dashboard.md) shows nodes in a web page, and \`signal\` runs a
[signaling hub](signaling.md).

## A first call

Run this in [a clone](start.md#install):

\`\`\`sh
npx pnpm@12 demo --stay
\`\`\`

It keeps a Raft cluster running that uses TLS and serves reflection, and prints the lines that call
it. Copy them into another terminal in the same folder:

\`\`\`sh
export TRUNKLINE_CONTEXTS=…/contexts.json    # has the address and the keys
alias trunkline='node packages/cli/dist/main.js'
trunkline ls
trunkline call store/set '{"key":"color","value":"blue"}'
trunkline call store/get '{"key":"color"}'
\`\`\`

## A server of your own

The server reads its certificate and calls \`serveReflection\`. \`greeter.ts\` is that of
[the first program](start.md#the-first-call):

\`server.ts\`

<!-- from docs/src/start/tls-server.ts -->
\`\`\`ts
import { readFileSync } from 'node:fs';
import { serveReflection } from '@trunkline/admin/reflection';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { greeter } from './greeter.ts';

const address = process.argv[2] ?? 'tcp://127.0.0.1:7000';
const read = (file: string) => readFileSync(file, 'utf8');
const tls = { key: read('node.key'), cert: read('node.crt'), ca: read('ca.crt') };
const server = createTransport(address, { protocol: greeter, backends: [tcp({ tls })] });
serve(server, { greet: ({ name }) => \`Hello, \${name}!\` });
serveReflection(server);
await server.listen();
console.log(\`listening on \${server.localAddr()}\`);
\`\`\`

Make the certificates, and start the server in their folder:

\`\`\`sh
trunkline cert ca                          # ca.key and ca.crt
trunkline cert issue -o node               # node.key and node.crt, for the server
trunkline cert issue -o me                 # me.key and me.crt, for you
node server.ts
\`\`\`

Call it from another terminal in this folder:

\`\`\`sh
trunkline context add greeter --use -a tcp://127.0.0.1:7000 --ca ca.crt --cert me.crt --key me.key
trunkline ls
trunkline describe greeter/greet
trunkline call greeter/greet '{"name":"Ada"}'
\`\`\`

Without TLS, \`--address\` is enough. Options come first, then the environment, then the context. If
you give an address without \`--context\`, no context is used, so that no other node gets its token.
The token is sent in the hello as \`token\`, and with each call as the metadata \`authorization\`.

Requests and responses are JSON. Streams are NDJSON, one value for each line, so they can be piped.
Bytes are base64 in a string. Texts of nodes are cleaned before they reach your terminal.

## Topics

\`\`\`sh
trunkline sub news -a tcp://10.0.0.1:7000            # in one terminal
trunkline pub news '"rain"' -a tcp://10.0.0.1:7000   # in another
\`\`\`

Both join the network as a node of its own, which takes a second, and leave it when they end. Give
them the \`--overlay\` of the nodes.

- On a full mesh, a message travels directly from its publisher to each subscriber. So \`pub\` first
  connects to every node that the network knows, and \`sub\` listens on a free port of the address
  from which it reaches the node. If a firewall is between the two, \`sub\` does not get the
  message. On a tree (\`--overlay partialView\`), one connected node is enough.
- A node is its key. With TLS, a \`pub\` and a \`sub\` at the same time need a key and a certificate
  each (\`trunkline cert issue\`): a \`sub\` ends with an error when another process joins with its
  key.

## The commands
`;

const CODES = `## Exit codes

| code | meaning |
|---:|---|
${EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

Codes 11 to 26 are 10 plus the number of the error's [code](errors.md). Standard output has the
results, and standard error has messages and errors. An error is one line, which says what to do.

With \`--json\`, every line of both is JSON. An error is an object:
\`{"error":{"code":"…","reason":"…","message":"…","hint":"…"}}\`. \`reason\` and \`hint\` are left
out if there are none. Wrong arguments have the code \`invalid_argument\`.
`;
