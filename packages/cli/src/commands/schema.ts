// trunkline schema: exports the schemas of a node, and compares two versions.

import { stat } from 'node:fs/promises';
import {
  asyncApi,
  compareProtocols,
  isBreakingChange,
  jsonSchemaBundle,
  type ProtocolDescription,
  parseProtocolDescription,
} from '@trunkline/admin/reflection';
import { type Command, Option } from 'commander';
import { NO, OK } from '../exit-codes.ts';
import { explain, type NodeConnection, readSettings, withNode, withSettings } from '../node.ts';
import { table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseJson, readText } from '../values.ts';

export function addSchema(
  program: Command,
  terminal: CliTerminal,
  exit: (code: number) => void,
): void {
  const schema = program
    .command('schema')
    .summary('export schemas, and compare two versions')
    .description('Exports the schemas of a node, and compares two versions of protocols.');
  schema
    .command('export')
    .summary('print the schemas of a node')
    .description('Prints the protocols of a node as descriptions, JSON Schema or AsyncAPI 3.')
    .argument('[protocol...]', "the protocols; default: all but Trunkline's own")
    .addOption(
      new Option('--format <format>', 'the format')
        .choices(['description', 'json-schema', 'asyncapi'])
        .default('description'),
    )
    .action(async (names: string[], { format }: { format: string }, command: Command) =>
      withNode(command, terminal, async (node) => {
        const protocols = await describeAll(node, names);
        const made =
          format === 'asyncapi'
            ? asyncApi(protocols, { servers: [node.target] })
            : format === 'json-schema'
              ? jsonSchemaBundle(protocols)
              : protocols;
        await terminal.out(`${toJson(made, 2)}\n`);
      }),
    );
  schema
    .command('diff')
    .summary('find breaking changes')
    .description(
      'Lists the changes between two versions of protocols, and says which programs with the old version break. The exit code is 1 if any change breaks programs.',
    )
    .argument('<before>', 'a file of schema export, or the address of a node')
    .argument('<after>', 'a file of schema export, or the address of a node')
    .option('--breaking', 'show only the changes that break programs')
    .action(
      async (
        before: string,
        after: string,
        { breaking }: { breaking?: boolean },
        command: Command,
      ) => {
        const [old, current] = [
          await load(before, command, terminal),
          await load(after, command, terminal),
        ];
        const changes = await compareProtocols(old, current);
        const shown = breaking === true ? changes.filter(isBreakingChange) : changes;
        if (command.optsWithGlobals()['json'] === true) await terminal.out(`${toJson(shown)}\n`);
        else if (shown.length === 0) await terminal.out('no changes\n');
        else {
          const rows = shown.map(({ rule, path, breaks, text }) => [
            rule,
            path,
            breaks.join(', ') || 'nobody',
            text,
          ]);
          await terminal.out(table([['RULE', 'PLACE', 'BREAKS', 'CHANGE'], ...rows]));
        }
        exit(changes.some(isBreakingChange) ? NO : OK);
      },
    );
}

/** Describes protocols of a node; without names, all but Trunkline's own. */
async function describeAll(
  node: NodeConnection,
  names: readonly string[],
): Promise<ProtocolDescription[]> {
  try {
    const reflector = node.reflector();
    const all =
      names.length > 0
        ? names
        : (await reflector.list(node.target, node.call))
            .filter(({ channel }) => channel >= FIRST_OWN)
            .map(({ name }) => name);
    const described: ProtocolDescription[] = [];
    for (const name of all) described.push(await reflector.describe(node.target, name, node.call));
    return described;
  } catch (error) {
    throw explain(error, 'reflection');
  }
}

/** Loads descriptions from a file, or from the node at an address. */
async function load(
  source: string,
  command: Command,
  terminal: CliTerminal,
): Promise<ProtocolDescription[]> {
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => !source.includes(':'),
  );
  if (isFile) {
    const content = parseJson(await readText(source), source);
    return (Array.isArray(content) ? content : [content]).map(parseProtocolDescription);
  }
  const settings = await readSettings({ ...command.optsWithGlobals(), address: source }, terminal);
  return withSettings(settings, terminal, (node) => describeAll(node, []));
}

/** The lowest channel that Trunkline's own protocols do not use. */
const FIRST_OWN = 0x10;
