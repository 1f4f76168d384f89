// Checks whether a value is JSON and how much it weighs: `weigh` before JSON.stringify would lose
// parts of it, `scan` before JSON.parse would build a large one, `weighParsed` after JSON.parse.
// The three must find the same weight (json.limits.test.ts compares them). `findBreach` explains
// what `weigh`, `weighParsed` or `isWellFormed` has refused, so it must change with them. All tests
// are those of json.ts.

import { hasLoneSurrogate, isPlainObject, member } from '../text.ts';
import { kindOf, oversize, refusal } from './codec.ts';

/**
 * The maximum depth of nested lists and objects in a value: far deeper than real data, and shallow
 * enough for the recursion of any schema library.
 */
const MAX_DEPTH = 1_000;

/**
 * Returns the weight of a value: the sum over all values in it, each counted as `unit` and `OBJECT`
 * define. Returns a negative number as soon as it finds a value that JSON does not have, more than
 * `MAX_DEPTH` levels (as in a cycle) or, without `protoKeys`, a key that reaches a prototype. −0
 * and members that are undefined pass, although JSON changes them. It allocates nothing and does
 * not look into strings.
 */
export function weigh(value: unknown, protoKeys: boolean): number {
  weight = 1;
  allowsProto = protoKeys;
  return isJson(value, 0) ? weight : -1;
}

/**
 * Returns the weight of one value at a level: 1, or one for every two levels if the value is deeper
 * than two. A schema reports a bad value with a path as long as the value is deep, and schema
 * libraries copy paths. Most time is spent on these copies, so values at great depth weigh even
 * more.
 */
function unit(level: number): number {
  return level <= 2 ? 1 : ((level + 1) >> 1) + ((level * level) >> 8);
}

/** The extra weight of an object, because a schema may report each member that is missing. */
const OBJECT = 4;
/**
 * The weight so far in the current walk, and whether keys that reach a prototype are allowed. Each
 * walk sets both at its start. If a getter in a value encodes another value, it overwrites them;
 * then only the receiver's check is right.
 */
let weight = 0;
let allowsProto = false;

/**
 * Returns true for a member that would replace a prototype, or reach the prototype of a class, in
 * code that copies members without care. It is called only for the keys `__proto__` and
 * `constructor`.
 */
function reachesProto(key: string, value: unknown): boolean {
  return (
    key === '__proto__' ||
    (typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype'))
  );
}

/**
 * Walks through a value and adds the weight of the members of each list or object. An empty list or
 * object weighs as much as one with a single member.
 */
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
  if (!isPlainObject(value)) return false;
  let members = 0;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === undefined) continue;
    if ((key === '__proto__' || key === 'constructor') && !allowsProto && reachesProto(key, inner))
      return false;
    if (!isJson(inner, level + 1)) return false;
    members++;
  }
  weight += (members || 1) * unit(level + 1) + OBJECT;
  return true;
}

/**
 * A variant of `weigh` for the result of `JSON.parse` that takes half the time. Such a value may be
 * nested too deeply, or contain numbers that overflowed to ±Infinity or keys that reach a
 * prototype, but otherwise it is JSON.
 */
export function weighParsed(value: unknown, protoKeys: boolean): number {
  weight = 1;
  allowsProto = protoKeys;
  if (typeof value === 'object') return value === null || hasFinite(value, 0) ? weight : -1;
  return typeof value === 'number' && value - value !== 0 ? -1 : 1;
}

/**
 * Walks through an object or a list. It checks each member inline, because a call for each would
 * double the time.
 */
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
      if (
        (key === '__proto__' || key === 'constructor') &&
        !allowsProto &&
        reachesProto(key, inner)
      )
        return false;
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
 * Returns the weight of the value of JSON text without building the value: the result of `weigh`,
 * or more if keys are repeated. Returns a negative number if it is nested too deeply. It never
 * throws, because code that creates errors would keep V8 from optimizing this loop, which would
 * make it ten times slower.
 */
export function scan(bytes: Uint8Array): number {
  let level = 0;
  let sum = 1;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === COMMA) sum += unit(level);
    else if (byte === BRACKET || byte === BRACE) {
      if (++level > MAX_DEPTH) return -1;
      sum += unit(level) + (byte === BRACE ? OBJECT : 0);
    } else if ((byte === BRACKET + 2 || byte === BRACE + 2) && level > 0) level--;
  }
  return sum;
}

/** Returns the error for a value that weighs too much. */
export function tooMany(weight: number, most: number): Error {
  const problem = `counts as ${weight} values, above the limit of ${most}`;
  return oversize('json', problem, 'json(schema, { values })');
}

/**
 * Returns true if no string or key of a JSON value contains a lone surrogate. Members that are
 * undefined are not sent, so their keys don't count. Call it only if `weigh` or `weighParsed` has
 * accepted the value, because they bound the depth of its recursion.
 */
export function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !hasLoneSurrogate(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(
    ([key, inner]) => inner === undefined || (!hasLoneSurrogate(key) && isWellFormed(inner)),
  );
}

/** Returns the error for JSON text that is nested too deeply. */
export function tooDeep(): Error {
  return refusal('json', '', `nests deeper than ${MAX_DEPTH} levels`);
}

/**
 * Returns the error for the first problem in a value for which `weigh` or `weighParsed` is negative
 * or `isWellFormed` is false.
 */
export function findBreach(root: unknown, protoKeys: boolean): Error {
  const path: string[] = [];
  const above: unknown[] = [];
  let problem = '';
  const walk = (value: unknown): boolean => {
    problem = problemOf(value, above);
    if (problem !== '') return true;
    if (typeof value !== 'object' || value === null) return false;
    above.push(value);
    const entries: Iterable<[PropertyKey, unknown]> = Array.isArray(value)
      ? value.entries()
      : Object.entries(value);
    for (const [key, inner] of entries) {
      if (typeof key === 'string' && inner === undefined) continue;
      if (
        !protoKeys &&
        (key === '__proto__' || key === 'constructor') &&
        reachesProto(key, inner)
      ) {
        problem = `the key ${key === '__proto__' ? key : `${key}.prototype`} would change a prototype in code that copies members; json(schema, { protoKeys: true }) allows it at both ends`;
        return true;
      }
      path.push(member(key));
      if (typeof key === 'string' && hasLoneSurrogate(key)) {
        problem = 'the key has a lone surrogate, which is not valid Unicode';
        return true;
      }
      if (walk(inner)) return true;
      path.pop();
    }
    above.pop();
    return false;
  };
  // For example, a getter may return another value than before.
  if (!walk(root)) problem = 'is not JSON, because of a getter or of a member that it inherits';
  return refusal('json', pathText(path), problem);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Joins the steps of a path; leaves out the middle of a long one. */
export function pathText(steps: readonly string[]): string {
  return steps.length <= 20
    ? steps.join('')
    : `${steps.slice(0, 10).join('')} … ${steps.slice(-3).join('')}`;
}

function problemOf(value: unknown, above: unknown[]): string {
  if (typeof value === 'string')
    return hasLoneSurrogate(value) ? 'has a lone surrogate, which is not valid Unicode' : '';
  if (typeof value === 'number')
    return Number.isFinite(value)
      ? ''
      : `expected a finite number (from about −1.8e308 to 1.8e308), got ${value}`;
  if (typeof value === 'boolean' || value === null) return '';
  if (typeof value !== 'object') return `expected JSON, got ${kindOf(value)}`;
  if (above.includes(value)) return 'is a cycle: it contains itself';
  if (above.length >= MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
  return Array.isArray(value) || isPlainObject(value)
    ? ''
    : `expected JSON, got ${kindOf(value)}; pass plain objects, lists, strings and numbers`;
}
