// Contexts: named sets of connection settings, in a file that only its owner can read.

import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { TransportError } from '@trunkline/transport-core';
import {
  fileDisk,
  fileError,
  systemErrorCode,
  writeAtomically,
} from '@trunkline/transport-core/node';
import * as z from 'zod/mini';
import type { CliTerminal } from './terminal.ts';

/** The settings of a context; paths are absolute. */
export interface Context {
  readonly address?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly network?: string | undefined;
}

/** All contexts of a user. */
export interface Contexts {
  /** The context that commands use without `--context`. */
  readonly current?: string | undefined;
  readonly contexts: Readonly<Record<string, Context>>;
}

const text = z.optional(z.string());
const schema = z.object({
  current: text,
  contexts: z.record(
    z.string(),
    z.object({ address: text, ca: text, cert: text, key: text, token: text, network: text }),
  ),
});

/**
 * Returns the file: TRUNKLINE_CONTEXTS, or trunkline/contexts.json in the user's folder of
 * settings.
 */
export function contextsFile({ env }: Pick<CliTerminal, 'env'>): string {
  if (env['TRUNKLINE_CONTEXTS']) return env['TRUNKLINE_CONTEXTS'];
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  return join(folder, 'trunkline', 'contexts.json');
}

/**
 * Reads the contexts. Without a file, there are none. Throws `invalid_argument` for a damaged file,
 * and the error of `fileError` for one that can't be read.
 */
export async function readContexts(terminal: Pick<CliTerminal, 'env'>): Promise<Contexts> {
  const path = contextsFile(terminal);
  try {
    const bytes = await fileDisk.read(path, (size) => {
      if (size > LARGEST) throw new Error(`it has ${size} bytes, above the limit of ${LARGEST}`);
    });
    const content = new TextDecoder().decode(bytes);
    const { success, data, error } = schema.safeParse(JSON.parse(content));
    if (success) return data;
    throw new Error(`${error!.issues[0]?.path.join('.')}: ${error!.issues[0]?.message}`);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { contexts: {} };
    if (systemErrorCode(error) !== undefined) throw fileError(error, 'contexts', path, 'read');
    throw new TransportError(
      'invalid_argument',
      `the file of contexts ${path} is damaged (${(error as Error).message}); repair or delete it`,
    );
  }
}

/** Returns the error for a name that no context has. */
export function noContext(name: string, contexts: Contexts['contexts']): TransportError {
  const known = Object.keys(contexts).join(', ') || 'none';
  return new TransportError('not_found', `there is no context '${name}'; known: ${known}`);
}

/** Replaces all contexts. Throws the error of `fileError` if the file can't be written. */
export async function writeContexts(
  terminal: Pick<CliTerminal, 'env'>,
  contexts: Contexts,
): Promise<void> {
  const path = contextsFile(terminal);
  try {
    await mkdir(dirname(path), { recursive: true });
    const content = `${JSON.stringify(contexts, undefined, 2)}\n`;
    await writeAtomically(path, content, { mode: 0o600, overwrite: true });
  } catch (error) {
    throw fileError(error, 'contexts', path);
  }
}

const LARGEST = 1024 * 1024;
