// JSON values of the command line, of files and of the standard input.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileError } from '@trunkline/transport-core/node';
import { UsageError } from './exit-codes.ts';
import type { CliTerminal } from './terminal.ts';

/** Parses JSON. `where` names its source in the error. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} is not JSON: ${(error as Error).message}`);
  }
}

/** Reads the value of a request: given as text, as '-' for the standard input, or in a file. */
export async function readRequest(
  text: string | undefined,
  file: string | undefined,
  terminal: CliTerminal,
): Promise<unknown> {
  if (file !== undefined && text !== undefined)
    throw new UsageError('give the request either as an argument or with --from-file, not both');
  if (file !== undefined) return parseJson(await readText(file), file);
  if (text !== '-') return text === undefined ? undefined : parseJson(text, 'the request');
  let content = '';
  const decoder = new TextDecoder();
  for await (const chunk of terminal.input) {
    content += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (content.length > LARGEST) throw new UsageError('the standard input is above 64 MiB');
  }
  return parseJson(content, 'the standard input');
}

/** Reads a file as text. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'trunkline', path, 'read');
  }
}

/** Returns the values of NDJSON, one for each line that is not empty. */
export async function* readLines(
  file: string | undefined,
  terminal: CliTerminal,
): AsyncGenerator<unknown, void> {
  const chunks = file === undefined ? terminal.input : createReadStream(file);
  const where = file ?? 'the standard input';
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  try {
    for await (const chunk of chunks) {
      rest +=
        typeof chunk === 'string' ? chunk : decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop()!;
      if (rest.length > LARGEST) throw new UsageError(`a line of ${where} is above 64 MiB`);
      for (const line of lines) {
        number++;
        if (line.trim() !== '') yield parseJson(line, `line ${number} of ${where}`);
      }
    }
  } catch (error) {
    throw file === undefined || error instanceof UsageError
      ? error
      : fileError(error, 'trunkline', file, 'read');
  }
  if (rest.trim() !== '') yield parseJson(rest, `line ${number + 1} of ${where}`);
}

/** Maximum length of the standard input, or of one line, in UTF-16 code units. */
const LARGEST = 64 * 1024 * 1024;
