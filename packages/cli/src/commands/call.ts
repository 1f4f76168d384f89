// trunkline call: calls a method of any kind with JSON.

import {
  type MethodDescription,
  type ProtocolDescription,
  parseProtocolDescription,
  reflectedProtocol,
} from '@trunkline/admin/reflection';
import { type Protocol, type Transport, TransportError } from '@trunkline/transport-core';
import type { Command } from 'commander';
import { UsageError } from '../exit-codes.ts';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { say, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseJson, readLines, readRequest, readText } from '../values.ts';

interface CallOptions {
  readonly fromFile?: string | undefined;
  readonly items?: string | undefined;
  readonly schema?: string | undefined;
  readonly allowUnknownFields?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function addCall(program: Command, terminal: CliTerminal): void {
  program
    .command('call')
    .summary('call a method with JSON')
    .description(
      'Calls a method of any kind. The request and the response are JSON; streams are read and written as NDJSON, one value for each line. Bytes are base64 in a string.',
    )
    .argument('<method>', "the method: 'protocol/method' or 'protocol.method'")
    .argument('[request]', "the request as JSON, or '-' to read it from the standard input")
    .option('--from-file <file>', 'read the request from a file')
    .option(
      '--items <file>',
      'read the items of an upload from a file instead of the standard input',
    )
    .option(
      '--schema <file>',
      'use a description from trunkline describe --json instead of reflection',
    )
    .option('--allow-unknown-fields', 'send fields that the schema does not list')
    .addHelpText(
      'after',
      `
Examples:
  trunkline call greeter/greet '{"name":"Ada"}'
  trunkline call numbers/sum --items values.ndjson
  trunkline call numbers/count 3 | jq .`,
    )
    .action(
      async (name: string, text: string | undefined, options: CallOptions, command: Command) =>
        withNode(command, terminal, async (node) => {
          const [protocolName, methodName] = splitMethod(name);
          if (text === '-' && options.items === undefined && options.fromFile !== undefined)
            throw new UsageError("give the request either with '-' or with --from-file");
          const given = await readRequest(text, options.fromFile, terminal);
          const description = await describe(node, protocolName, options.schema);
          const method = methodOf(description, methodName);
          const { allowUnknownFields } = options;
          const protocol = await reflectedProtocol(description, { allowUnknownFields });
          const request = given === undefined ? emptyRequest(method) : given;
          const mount: Transport<Protocol> = node.transport.mount(protocol);
          const isUpload = method.upload !== undefined;
          if (isUpload && text === '-')
            throw new UsageError(
              "the items are read from the standard input, so the request can't be '-'",
            );
          const result: unknown = await mount.send(node.target, methodName, request as never, {
            ...(method.kind === 'unary' || method.kind === 'oneway' ? node.call : node.stream),
            // The kind is known only at run time, so TypeScript cannot know that the method
            // uploads.
            ...((isUpload ? { upload: readLines(options.items, terminal) } : {}) as object),
          });
          if (method.kind === 'oneway') say(command, terminal, 'sent', { sent: true });
          else if (method.download === undefined)
            await terminal.out(`${toJson(result, isCompact(command, terminal) ? 0 : 2)}\n`);
          else
            for await (const item of result as AsyncIterable<unknown>)
              await terminal.out(`${toJson(item)}\n`);
        }),
    );
}

/** Splits 'protocol/method' at its last slash; without a slash, at its last dot. */
export function splitMethod(name: string): [protocol: string, method: string] {
  const at = name.includes('/') ? name.lastIndexOf('/') : name.lastIndexOf('.');
  if (at > 0 && at < name.length - 1) return [name.slice(0, at), name.slice(at + 1)];
  throw new UsageError(`expected a method as 'protocol/method', got '${name}'; see trunkline ls`);
}

/**
 * Returns the description of a protocol: from a file, or from the node. The latter closes the
 * reflector of `node`, which then can't be used again. Throws `not_found` if there is no such
 * protocol.
 */
export async function describe(
  node: NodeConnection,
  protocol: string,
  file?: string,
): Promise<ProtocolDescription> {
  if (file !== undefined) {
    const content = parseJson(await readText(file), file);
    const all = (Array.isArray(content) ? content : [content]).map(parseProtocolDescription);
    const found = all.find(({ name }) => name === protocol);
    if (found !== undefined) return found;
    throw new TransportError(
      'not_found',
      `${file} has no protocol '${protocol}'; it has ${all.map(({ name }) => name).join(', ')}`,
    );
  }
  const reflector = node.reflector();
  try {
    return await reflector.describe(node.target, protocol, node.call);
  } catch (error) {
    throw explain(error, 'reflection');
  } finally {
    // Frees the name, so that the command can mount `trunkline.reflection` itself to call it.
    await reflector.close();
  }
}

/** Returns a method of a description. Throws `not_found` if it has no such method. */
export function methodOf({ name, methods }: ProtocolDescription, method: string) {
  const found = methods.find((each) => each.name === method);
  if (found !== undefined) return found;
  const known = methods.map((each) => each.name);
  const near = known.find((each) => each.toLowerCase() === method.toLowerCase());
  throw new TransportError(
    'not_found',
    `protocol '${name}' has no method '${method}'; ${near === undefined ? `it has ${known.join(', ')}` : `did you mean '${near}'?`}`,
    { sent: false },
  );
}

/** Returns the request of a call without one: an empty object or value. */
export function emptyRequest({ request: { codec, type } }: MethodDescription): unknown {
  if (codec === 'json' || type !== undefined) return {};
  return codec === 'empty' ? null : '';
}

function isCompact(command: Command, { isTerminal }: CliTerminal): boolean {
  return command.optsWithGlobals()['json'] === true || !isTerminal;
}
