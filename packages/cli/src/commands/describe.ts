// trunkline ls and describe: the protocols and methods of a node.

import type { MessageDescription, ProtocolDescription } from '@trunkline/admin/reflection';
import { cleanText } from '@trunkline/transport-core/backend';
import type { Command } from 'commander';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { describe, methodOf, splitMethod } from './call.ts';

export function addDescribe(program: Command, terminal: CliTerminal): void {
  program
    .command('ls')
    .summary('list the protocols of a node, or the methods of one')
    .description('Lists the protocols of a node, or the methods of one protocol.')
    .argument('[protocol]', 'list the methods of this protocol')
    .option('--all', "list Trunkline's own protocols, too")
    .action(async (protocol: string | undefined, { all }: { all?: boolean }, command: Command) =>
      withNode(command, terminal, async (node) => {
        const asJson = command.optsWithGlobals()['json'] === true;
        if (protocol !== undefined) {
          const description = await describe(node, protocol);
          const { methods } = description;
          if (asJson) return terminal.out(`${toJson(methods)}\n`);
          const rows = methods.map(({ name, id, kind, doc = '' }) => [
            `${description.name}/${name}`,
            String(id),
            kind,
            doc,
          ]);
          return terminal.out(table([['METHOD', 'ID', 'KIND', 'DESCRIPTION'], ...rows]));
        }
        const listed = await list(node);
        const shown = listed.filter(({ channel }) => all === true || channel >= FIRST_OWN);
        if (asJson) return terminal.out(`${toJson(shown)}\n`);
        const rows = shown.map(({ name, version, accepts, channel, doc = '' }) => [
          name,
          [version, ...accepts.filter((each) => each !== version)].join(', '),
          String(channel),
          doc,
        ]);
        return terminal.out(table([['PROTOCOL', 'VERSIONS', 'CHANNEL', 'DESCRIPTION'], ...rows]));
      }),
    );
  program
    .command('describe')
    .summary('show the methods and schemas of a protocol')
    .description(
      'Shows a protocol, or one of its methods, with the schemas of its messages. With --json it prints the description, for call --schema and schema diff.',
    )
    .argument('<protocol>', "the protocol, or a method as 'protocol/method' or 'protocol.method'")
    .action(async (name: string, _: object, command: Command) =>
      withNode(command, terminal, async (node) => {
        const [protocol = name, method] = (await isProtocol(node, name)) ? [] : splitMethod(name);
        const description = await describe(node, protocol);
        const only = method === undefined ? undefined : methodOf(description, method);
        const shown = only === undefined ? description : { ...description, methods: [only] };
        const isJson = command.optsWithGlobals()['json'] === true;
        await terminal.out(isJson ? `${toJson(shown)}\n` : formatProtocol(shown));
      }),
    );
}

/**
 * Returns false for 'protocol/method', and for 'protocol.method' unless a protocol has that name.
 */
async function isProtocol(node: NodeConnection, name: string): Promise<boolean> {
  if (name.includes('/') || !name.includes('.')) return !name.includes('/');
  const listed = await list(node);
  return listed.some((each) => each.name === name);
}

/** Lists the protocols of a node. */
async function list(node: NodeConnection) {
  try {
    return await node.reflector().list(node.target, node.call);
  } catch (error) {
    throw explain(error, 'reflection');
  }
}

/** The lowest channel that Trunkline's own protocols do not use. */
const FIRST_OWN = 0x10;

function formatProtocol({ name, version, channel, doc, methods }: ProtocolDescription): string {
  const lines = [`protocol ${cleanText(name)}, version ${version}, channel ${channel}`];
  if (doc !== undefined) lines.push(`  ${cleanText(doc)}`);
  for (const method of methods) {
    const { id, kind, timeout } = method;
    const time =
      timeout === undefined ? '' : `, timeout ${timeout === 'none' ? 'none' : `${timeout} ms`}`;
    lines.push('', `${cleanText(name)}/${cleanText(method.name)} (${kind}, id ${id}${time})`);
    if (method.doc !== undefined) lines.push(`  ${cleanText(method.doc)}`);
    for (const role of ['request', 'upload', 'response', 'download'] as const) {
      const message = method[role];
      if (message !== undefined) lines.push(`  ${role}: ${formatMessage(message)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function formatMessage({ codec, schema, type, limit }: MessageDescription): string {
  const size = limit === undefined ? '' : `, at most ${limit} bytes`;
  const shape =
    schema !== undefined
      ? ` ${toJson(schema)}`
      : type === undefined && codec !== 'empty'
        ? ' (base64)'
        : '';
  return `${cleanText(codec)}${size}${shape}`;
}
