// What is JSON and what is not, decided before JSON.stringify would lose it or JSON.parse would build it.

import { kindOf, member } from './describe.ts';
import { oversize, refusal } from './refusal.ts';
import { hasLoneSurrogate } from './unicode.ts';

/** Levels of lists and objects that a value may have. Far more than data has; few enough for every schema's recursion. */
export const MAX_DEPTH = 1_000;

/**
 * What a value weighs: 1 for each value in it, as `unit` and `OBJECT` have it. Negative if JSON would not carry the value whole: the
 * walk ends there. No allocation; a cycle is a value that nests too deep. Strings are not looked into.
 */
export function weigh(value: unknown): number {
  weight = 1;
  return isJson(value, 0) ? weight : -1;
}

/**
 * A value counts once, and once for every two levels if it stands deeper than that. A schema reports a bad value by a path that is as long
 * as the value is deep, and libraries copy paths: that is where the time goes, so far below they count for more.
 */
function unit(level: number): number {
  return level <= 2 ? 1 : ((level + 1) >> 1) + ((level * level) >> 8);
}

/** How much more an object counts: a schema may report each member that it lacks. */
const OBJECT = 4;
/** Of the walk that is under way. */
let weight = 0;

/** Adds the weight of what is in a list or object when it has walked through it. An empty one weighs as if one value were in it. */
function isJson(value: unknown, level: number): boolean {
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
  if (level >= MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    const { length } = value;
    for (let i = 0; i < length; i++) if (!isJson(value[i], level + 1)) return false;
    weight += (length || 1) * unit(level + 1);
    return true;
  }
  if (!isPlain(value)) return false;
  let members = 0;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === undefined) continue;
    if (!isJson(inner, level + 1)) return false;
    members++;
  }
  weight += (members || 1) * unit(level + 1) + OBJECT;
  return true;
}

/**
 * `weigh` for what `JSON.parse` made, in half the time: such a value can nest too deep, and have numbers that overflowed to ±Infinity, but is
 * JSON otherwise.
 */
export function weighParsed(value: unknown): number {
  weight = 1;
  if (typeof value === 'object') return value === null || hasFinite(value, 0) ? weight : -1;
  return typeof value === 'number' && value - value !== 0 ? -1 : 1;
}

/** Looks at each member where it is found: a call for each would cost as much as the rest. */
function hasFinite(value: object, level: number): boolean {
  if (level >= MAX_DEPTH) return false;
  let count = 0;
  if (Array.isArray(value)) {
    count = value.length;
    for (let i = 0; i < count; i++) {
      const inner: unknown = value[i];
      if (typeof inner === 'object') {
        if (inner !== null && !hasFinite(inner, level + 1)) return false;
      } else if (typeof inner === 'number' && inner - inner !== 0) return false;
    }
  } else {
    weight += OBJECT;
    for (const key in value) {
      const inner = (value as Record<string, unknown>)[key];
      if (typeof inner === 'object') {
        if (inner !== null && !hasFinite(inner, level + 1)) return false;
      } else if (typeof inner === 'number' && inner - inner !== 0) return false;
      count++;
    }
  }
  weight += (count || 1) * unit(level + 1);
  return true;
}

/**
 * What the value of a text weighs, found without building it: as `weigh` has it, or more if keys come twice. Negative if it nests too deep. It
 * throws nothing: code that makes errors would cost this loop its optimization, and with that ten times its time.
 */
export function scan(bytes: Uint8Array): number {
  let level = 0;
  let weight = 1;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === COMMA) weight += unit(level);
    else if (byte === BRACKET || byte === BRACE) {
      if (++level > MAX_DEPTH) return -1;
      weight += unit(level) + (byte === BRACE ? OBJECT : 0);
    } else if ((byte === BRACKET + 2 || byte === BRACE + 2) && level > 0) level--;
  }
  return weight;
}

/** The error for a value that weighs too much. */
export function tooMany(weight: number, most: number): Error {
  return oversize('json', `counts as ${weight} values, above the limit of ${most}`, 'json(schema, { values })');
}

/** Are all strings and keys of a JSON value Unicode text, without lone surrogates? */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !hasLoneSurrogate(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([key, inner]) => !hasLoneSurrogate(key) && isWellFormed(inner));
}

/** The error for a text that nests too deep. */
export function tooDeep(): Error {
  return refusal('json', '', `nests deeper than ${MAX_DEPTH} levels`);
}

/** The error that names the first thing that `weigh` stops at, or for which `isWellFormed` is false. */
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
  return refusal('json', pathText(path), problem);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** The steps of a path, all of them unless they are many. */
export function pathText(steps: readonly string[]): string {
  return steps.length <= 20 ? steps.join('') : `${steps.slice(0, 10).join('')} … ${steps.slice(-3).join('')}`;
}

function problemOf(value: unknown, above: unknown[]): string {
  if (typeof value === 'string') return hasLoneSurrogate(value) ? 'has a lone surrogate, which is no Unicode text' : '';
  if (typeof value === 'number') return Number.isFinite(value) ? '' : `expected a finite number (at most about 1.8e308 either way), got ${value}`;
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
