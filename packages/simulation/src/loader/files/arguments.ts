// The arguments of `node:fs`: paths, flags, buffers and positions in all forms that Node accepts.

import { constants } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenFlags } from '../../files/file-calls.ts';
import type { Target } from '../../files/file-recipes.ts';

/** Options that may also be an encoding. */
export type Options = Readonly<Record<string, any>> & { readonly encoding?: BufferEncoding };

/** Returns the absolute path of an argument. The current directory of a node is `/`. */
export function pathOf(path: unknown, name = 'path'): string {
  const text =
    typeof path === 'string'
      ? path
      : path instanceof URL
        ? fileURLToPath(path, { windows: false })
        : Buffer.isBuffer(path)
          ? path.toString()
          : undefined;
  if (text === undefined || text === '' || text.includes('\0'))
    throw invalid(name, 'a path without null bytes: a string, a Buffer or a file URL', path);
  return posix.resolve('/', text);
}

/** Returns the path, or the number of the open file, that an argument stands for. */
export function targetOf(target: unknown): Target {
  if (typeof target === 'number') return target;
  const { fd } = (target ?? {}) as { fd?: unknown };
  return typeof fd === 'number' ? fd : pathOf(target);
}

/** Returns the options of an argument, which may also be an encoding or be left out. */
export function optionsOf(options: unknown): Options {
  if (typeof options === 'string') return { encoding: options as BufferEncoding };
  return (options as Options | null | undefined) ?? {};
}

/** Parses the flags of `open`: 'r', 'w+', 'ax' and so on, or a number of `fs.constants`. */
export function flagsOf(flags: unknown, otherwise: string): OpenFlags {
  const given = flags ?? otherwise;
  if (typeof given === 'number') {
    const access = given & 3;
    return {
      read: access !== constants.O_WRONLY,
      write: access !== constants.O_RDONLY,
      append: (given & constants.O_APPEND) !== 0,
      create: (given & constants.O_CREAT) !== 0,
      exclusive: (given & constants.O_EXCL) !== 0,
      truncate: (given & constants.O_TRUNC) !== 0,
    };
  }
  const match = /^(?:([rwa])s?(x)?(\+)?|([rwa])(\+)[sx]*)$/.exec(String(given));
  if (match === null) throw invalid('flags', "flags such as 'r', 'w+' or 'ax'", given);
  const mode = match[1] ?? match[4]!;
  const isBoth = String(given).includes('+');
  return {
    read: mode === 'r' || isBoth,
    write: mode !== 'r' || isBoth,
    append: mode === 'a',
    create: mode !== 'r',
    exclusive: String(given).includes('x'),
    truncate: mode === 'w',
  };
}

/** Returns the bytes of data to write: a string in its encoding, or any view. */
export function bytesOf(data: unknown, encoding: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding);
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw invalid('data', 'a string, a Buffer, a TypedArray or a DataView', data);
}

/** Returns a position in a file; undefined means the position of the open file. */
export function positionOf(position: unknown): number | undefined {
  if (position === null || position === undefined || position === -1) return undefined;
  return Number(position);
}

/** Returns bytes as a Buffer, or as text if there is an encoding. */
export function encoded(bytes: Uint8Array, { encoding }: Options): Buffer | string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return encoding === undefined || encoding === null || (encoding as string) === 'buffer'
    ? buffer
    : buffer.toString(encoding);
}

/** Creates the TypeError of an invalid argument. */
export function invalid(name: string, expected: string, value: unknown): TypeError {
  return Object.assign(
    new TypeError(`The "${name}" argument must be ${expected}. Received ${String(value)}`),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}
