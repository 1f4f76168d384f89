// The checks of defineProtocol at run time: for JavaScript, for casts, and for ids that TypeScript
// does not know.

import { isPlainObject } from '../plain.ts';
import { hasLoneSurrogate } from '../text.ts';

/** Throws a TypeError that names the protocol and the path of the first mistake. */
export function checkDefinition(given: unknown, lowestChannel: number): void {
  if (!isPlainObject(given))
    throw new TypeError(`defineProtocol: expected an object, got ${show(given)}`);
  const fail: Fail = (path, rule, ...value) => {
    const name = typeof given['name'] === 'string' ? ` '${cut(given['name'])}'` : '';
    const got = value.length > 0 ? `, got ${show(value[0])}` : '';
    throw new TypeError(`defineProtocol${name}: ${path}: ${rule}${got}`);
  };

  for (const key of Object.keys(given))
    if (!PROTOCOL_KEYS.has(key))
      fail(cut(key), `unknown member; a protocol has ${[...PROTOCOL_KEYS].join(', ')}`);
  checkName(given['name'], fail);
  const { version = 1, priority = 1, ordered = false } = given;
  if (!isUint32(version)) fail('version', 'must be an integer from 0 to 2^32 − 1', version);
  checkAccepts(given['accepts'], fail);
  checkChannel(given['channel'], lowestChannel, fail);
  if (!(typeof priority === 'number' && priority > 0 && priority < Infinity))
    fail('priority', 'must be a finite number above 0', priority);
  if (typeof ordered !== 'boolean') fail('ordered', 'must be true or false', ordered);
  checkDoc(given['doc'], 'doc', fail);
  checkMethods(given['methods'], fail);
}

type Fail = (path: string, rule: string, ...value: unknown[]) => void;

function checkName(name: unknown, fail: Fail): void {
  if (typeof name !== 'string') return fail('name', 'must be a string', name);
  const length = new TextEncoder().encode(name).length;
  if (length < 1 || length > 255) fail('name', `must be 1 to 255 bytes of UTF-8, got ${length}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name))
    fail('name', 'must have no control characters', name);
  if (hasLoneSurrogate(name))
    fail('name', 'must have no lone surrogates: it crosses the wire as UTF-8', name);
}

function checkAccepts(accepts: unknown, fail: Fail): void {
  if (accepts === undefined) return;
  if (!Array.isArray(accepts)) return fail('accepts', 'must be a list of versions', accepts);
  if (accepts.length > 64) fail('accepts', `must be at most 64 versions, got ${accepts.length}`);
  for (const [i, version] of accepts.entries())
    if (!isUint32(version)) fail(`accepts[${i}]`, 'must be an integer from 0 to 2^32 − 1', version);
}

/** Trunkline's own protocols must specify a channel; for others it is optional. */
function checkChannel(channel: unknown, lowest: number, fail: Fail): void {
  if (channel === undefined && lowest > 0) return;
  if (!isUint32(channel) || channel < lowest || channel > 0xff)
    fail('channel', `must be an integer from 0x${lowest.toString(16)} to 0xff`, channel);
}

function checkDoc(doc: unknown, path: string, fail: Fail): void {
  if (doc === undefined) return;
  if (typeof doc !== 'string') return fail(path, 'must be a string', doc);
  if (doc.length > LONGEST_DOC)
    fail(path, `must be at most ${LONGEST_DOC} characters, got ${doc.length}`);
  if (hasLoneSurrogate(doc)) fail(path, 'must have no lone surrogates', doc);
}

function checkMethods(methods: unknown, fail: Fail): void {
  if (!isPlainObject(methods)) {
    return fail(
      'methods',
      "must be a plain object of methods (a method named '__proto__' is written ['__proto__']: { … })",
      methods,
    );
  }
  const nameOf = new Map<number, string>();
  for (const [name, method] of Object.entries(methods)) {
    const path = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)
      ? `methods.${cut(name)}`
      : `methods[${show(name)}]`;
    if (!isPlainObject(method)) {
      fail(path, 'must be an object such as { request: bytes }', method);
      continue;
    }
    if (name === 'then')
      fail(
        path,
        "must have another name: `await` takes a client with a method 'then' for a promise, and hangs",
      );
    checkMethod(method, path, fail);
    const { id = methodId(name) } = method as { id?: number };
    const other = nameOf.get(id);
    if (other !== undefined)
      fail(path, `has the id of '${cut(other)}', ${id}; give one of them another \`id\``);
    nameOf.set(id, name);
  }
}

function checkMethod(method: Record<string, unknown>, path: string, fail: Fail): void {
  for (const key of Object.keys(method))
    if (!METHOD_KEYS.has(key))
      fail(`${path}.${cut(key)}`, `unknown member; a method has ${[...METHOD_KEYS].join(', ')}`);
  const { id = 1, timeout = 1, response, upload, download } = method;
  if (!isUint32(id) || id === 0) fail(`${path}.id`, 'must be an integer from 1 to 2^32 − 1', id);
  for (const key of CODEC_KEYS) {
    const codec = method[key];
    if (codec === undefined ? key === 'request' : !isCodec(codec))
      fail(`${path}.${key}`, 'must be a codec: bytes, json(schema) or protobuf(type)', codec);
  }
  if (response !== undefined && download !== undefined)
    fail(
      path,
      'has both response and download; a method that streams its answers has download alone',
    );
  if (upload !== undefined && response === undefined && download === undefined)
    fail(path, 'has upload, so it needs response or download');
  if (!(typeof timeout === 'number' && timeout > 0))
    fail(`${path}.timeout`, 'must be milliseconds above 0, or Infinity', timeout);
  checkDoc(method['doc'], `${path}.doc`, fail);
}

/** The maximum number of characters in a description. */
const LONGEST_DOC = 4_096;

const PROTOCOL_KEYS = new Set([
  'name',
  'version',
  'accepts',
  'channel',
  'priority',
  'ordered',
  'doc',
  'methods',
]);
const CODEC_KEYS = ['request', 'response', 'upload', 'download'] as const;
const METHOD_KEYS = new Set<string>(['id', ...CODEC_KEYS, 'timeout', 'doc']);

function isUint32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

function isCodec(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, encode, decode, limit } = value as Record<string, unknown>;
  const bounded = limit === undefined || (typeof limit === 'number' && limit > 0);
  return (
    typeof name === 'string' &&
    typeof encode === 'function' &&
    typeof decode === 'function' &&
    bounded
  );
}

function cut(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > 64 ? `${line.slice(0, 63)}…` : line;
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

// The numbers that protocols and methods get from their names. They are the same at every node.

/**
 * Returns the id of a method without an explicit one: 256 plus FNV-1a (32 bits) of the name's
 * UTF-8, modulo 2^28 − 256. Such an id takes at most four bytes in a frame. A renamed method keeps
 * its id with `id: methodId('oldName')`.
 */
export function methodId(name: string): number {
  return 0x100 + (hashOf(name) % 0xfff_ff00);
}

/**
 * Returns the channel of a protocol without an explicit one, from 0x10 to 0xff: 0x10 plus FNV-1a
 * (32 bits) of the name's UTF-8, modulo 240.
 */
export function channelOf(name: string): number {
  return 0x10 + (hashOf(name) % 240);
}

function hashOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
