// The errors of a node: each names the part that failed, and has the error of the part as cause.

import { TransportError } from '@trunkline/transport-core';

/**
 * Returns the error of a start that failed. A TypeError stays one, and its text gets the path of
 * the option: 'createPeers: seeds[0]: …' becomes 'createNode: peers.seeds[0]: …'.
 */
export function startError(error: unknown, part: string, node: string | undefined): Error {
  if (error instanceof TypeError)
    return new TypeError(optionText(error.message, part), { cause: error });
  return partError(error, `createNode:${called(node)} ${part}: ${textOf(error)}`);
}

/**
 * Returns the error of a node whose parts could not all be closed. Its cause is the first error of
 * `failed`, which must not be empty; its code, reason and target are those of this error.
 */
export function closeError(
  failed: readonly { readonly part: string; readonly error: unknown }[],
  node: string | undefined,
): TransportError {
  const texts = failed.map(({ part, error }) => `${part}: ${textOf(error)}`);
  return partError(failed[0]!.error, `node.close:${called(node)} ${texts.join('; ')}`);
}

function optionText(message: string, part: string): string {
  const [, option, text = message] = /^[\w.]+: (?:([\w.[\]]+): )?(.*)$/s.exec(message) ?? [];
  const path = option === undefined ? part : `${part}.${option}`;
  // These are options of the node itself, which passes them on to its transport.
  return `createNode: ${path.replace(/^transport\.(?=(address|backends)\b)/, '')}: ${text}`;
}

function partError(cause: unknown, message: string): TransportError {
  if (!(cause instanceof TransportError)) return new TransportError('internal', message, { cause });
  const { code, reason, target } = cause;
  return new TransportError(code, message, { reason, target, cause });
}

function called(node: string | undefined): string {
  return node === undefined ? '' : ` node '${node}':`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
