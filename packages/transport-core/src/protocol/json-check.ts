// What is JSON and what is not, decided before JSON.stringify would lose it or JSON.parse would build it.

import { kindOf, member } from './describe.ts';
import { refusal } from './refusal.ts';
import { hasLoneSurrogate } from './unicode.ts';

/** Levels of lists and objects that a value may have. Far more than data has; few enough for every schema's recursion. */
export const MAX_DEPTH = 1_000;
/** Lists and objects that a message may have: 64 MiB of them at 16 bytes each. Empty ones take some 20 times their bytes in memory. */
export const MAX_CONTAINERS = 4_000_000;

/** Would JSON carry this value whole? One walk, no allocation; a cycle is one that is too deep. Strings are not looked into. */
export function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return value - value === 0;
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isJson(value[i], depth + 1)) return false;
    return true;
  }
  if (!isPlain(value)) return false;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner !== undefined && !isJson(inner, depth + 1)) return false;
  }
  return true;
}

/** Are all strings and keys of a JSON value Unicode text, without lone surrogates? */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !hasLoneSurrogate(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([key, inner]) => !hasLoneSurrogate(key) && isWellFormed(inner));
}

/** The error that names the first thing for which `isJson` or `isWellFormed` is false. */
export function findBreach(root: unknown): Error {
  const path: string[] = [];
  const above: unknown[] = [];
  let problem = 'is no JSON';
  const walk = (value: unknown): boolean => {
    problem = problemOf(value, above);
    if (problem !== '') return true;
    if (typeof value !== 'object' || value === null) return false;
    above.push(value);
    const entries: Iterable<[PropertyKey, unknown]> = Array.isArray(value) ? value.entries() : Object.entries(value);
    for (const [key, inner] of entries) {
      if (typeof key === 'string' && inner === undefined) continue;
      path.push(member(key));
      if (typeof key === 'string' && hasLoneSurrogate(key)) {
        problem = 'the key has a lone surrogate, which is no Unicode text';
        return true;
      }
      if (walk(inner)) return true;
      path.pop();
    }
    above.pop();
    return false;
  };
  walk(root);
  return refusal('json', path.length <= 20 ? path.join('') : `${path.slice(0, 10).join('')} … ${path.slice(-3).join('')}`, problem);
}

/**
 * Refuses what nests too deep or has too many lists and objects, before a parser or a schema recurses into it. A text with
 * brackets too few for either is not read at all.
 */
export function refuseDepth(bytes: Uint8Array): void {
  if (bytes.length <= MAX_DEPTH) return;
  let depth = 0;
  let containers = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === BRACKET || byte === BRACE) {
      if (++depth > MAX_DEPTH) throw refusal('json', '', `nests deeper than ${MAX_DEPTH} levels`);
      if (++containers > MAX_CONTAINERS) throw refusal('json', '', `has more than ${MAX_CONTAINERS} lists and objects`);
    } else if (byte === BRACKET + 2 || byte === BRACE + 2) depth--;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

function problemOf(value: unknown, above: unknown[]): string {
  if (typeof value === 'string') return hasLoneSurrogate(value) ? 'has a lone surrogate, which is no Unicode text' : '';
  if (typeof value === 'number') return Number.isFinite(value) ? '' : `expected a finite number, got ${value}`;
  if (typeof value === 'boolean' || value === null) return '';
  if (typeof value !== 'object') return `expected JSON, got ${kindOf(value)}`;
  if (above.includes(value)) return 'is a cycle: it holds itself';
  if (above.length >= MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
  return Array.isArray(value) || isPlain(value) ? '' : `expected JSON, got ${kindOf(value)}; give plain objects, lists, strings and numbers`;
}

/** Made by a literal, JSON.parse or Object.create(null), of this realm or another. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}
