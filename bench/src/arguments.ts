// Readers for the numbers and names on the command lines of the benchmarks.

import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Reads a whole number above 0. @throws TypeError naming the option. */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`--${name}: must be a whole number above 0, got '${text}'`);
}

/** Splits a list such as 'a, b'; returns an empty array if the option was not given. */
export function listed(text: string | undefined): string[] {
  return text?.split(',').map((name) => name.trim()) ?? [];
}

/** Returns the URL of bench/dist/ in another checkout. @throws TypeError if it is not built. */
export function checkoutOf(folder: string): string {
  const url = pathToFileURL(resolve(folder, 'bench/dist') + sep).href;
  if (existsSync(new URL('child.js', url))) return url;
  throw new TypeError(
    `--before: must be the folder of a checkout that is built, got '${folder}' (there is no bench/dist/child.js)`,
  );
}
