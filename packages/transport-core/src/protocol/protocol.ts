// Definition of a protocol: a name, a channel and its methods. One definition gives both the types
// and the wire format.

import { hasLoneSurrogate, isPlainObject } from '../text.ts';
import type { Codec } from './codec.ts';

/**
 * The definition that `defineProtocol` takes as a literal. Optional members also accept
 * `undefined`.
 */
export interface ProtocolDefinition<M extends ProtocolMethods = ProtocolMethods> {
  /**
   * The protocol's name: 1 to 255 bytes of UTF-8 without control characters, unique on a transport.
   */
  readonly name: string;
  /** The protocol's version: an integer from 0 to 2^32 − 1. Default 1. */
  readonly version?: number | undefined;
  /**
   * Older (or newer) versions that this node also understands, at most 64. Default none. Two nodes
   * use the highest version that both know.
   */
  readonly accepts?: readonly number[] | undefined;
  /**
   * The byte that identifies this protocol on a connection: 0x10 to 0xff, the same at all nodes,
   * and unique on a transport. Each channel has its own queues and credit. The default is a hash of
   * the name. Among ten protocols, two hashes collide in one case out of six; mounting the second
   * of the two protocols then throws a TypeError. So assign numbers once you have several
   * protocols. 0x00 to 0x0f are reserved for Trunkline itself.
   */
  readonly channel?: number | undefined;
  /**
   * The share of bandwidth relative to other channels, above 0. Default 10. While both have data
   * waiting, a channel with twice the priority sends twice as many bytes.
   */
  readonly priority?: number | undefined;
  /**
   * If true, messages longer than one packet stay in order with short ones, which then wait for
   * them. Default false.
   */
  readonly ordered?: boolean | undefined;
  /** Describes the protocol to people and tools, in at most 4,096 characters. Default none. */
  readonly doc?: string | undefined;
  readonly methods: M;
}

/** A complete and frozen protocol; only `defineProtocol` makes one. */
export interface Protocol<M extends ProtocolMethods = ProtocolMethods> {
  readonly name: string;
  readonly version: number;
  /** The list as given; it does not always contain `version`. */
  readonly accepts: readonly number[];
  readonly channel: number;
  readonly priority: number;
  readonly ordered: boolean;
  readonly doc: string | undefined;
  /** The methods as given, each with its id. */
  readonly methods: { readonly [N in keyof M]: M[N] & { readonly id: number } };
}

/**
 * Methods by name. Any string except 'then' is a valid name: `await` would take a client with such
 * a method for a promise. The wire carries a method's id, not its name, so a renamed method must
 * keep its id.
 */
export type ProtocolMethods = Readonly<Record<string, MethodDefinition>>;

/** A method. Its kind follows from which of `response`, `upload` and `download` it has. */
export type MethodDefinition =
  | UnaryDefinition
  | OneWayDefinition
  | UploadDefinition
  | DownloadDefinition
  | DuplexDefinition;

/** The members that every kind of method has. */
export interface MethodBase {
  /**
   * The method's id: 1 to 2^32 − 1, unique in its protocol, the same at all nodes. Default:
   * `methodId` of its name.
   */
  readonly id?: number | undefined;
  readonly request: Codec<any, any>;
  /**
   * The timeout in milliseconds, above 0 or `Infinity`. It overrides the transport's `timeout` and
   * is overridden by the call's own. For a method that streams, it bounds each wait for progress.
   */
  readonly timeout?: number | undefined;
  /** Describes the method to people and tools, in at most 4,096 characters. Default none. */
  readonly doc?: string | undefined;
}

/** A unary method: one request, one response. */
export interface UnaryDefinition extends MethodBase {
  readonly response: Codec<any, any>;
  readonly upload?: undefined;
  readonly download?: undefined;
}

/** A one-way method: a request without an answer. */
export interface OneWayDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload?: undefined;
  readonly download?: undefined;
}

/** An upload: the caller streams, then receives one response. */
export interface UploadDefinition extends MethodBase {
  readonly response: Codec<any, any>;
  readonly upload: Codec<any, any>;
  readonly download?: undefined;
}

/** A download: the callee streams. */
export interface DownloadDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload?: undefined;
  readonly download: Codec<any, any>;
}

/** A duplex method: both ends stream. */
export interface DuplexDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload: Codec<any, any>;
  readonly download: Codec<any, any>;
}

/** The kind of a method. */
export type MethodKind = 'unary' | 'oneway' | 'upload' | 'download' | 'duplex';

/** A method as the transport uses it. */
export interface ProtocolMethod {
  readonly name: string;
  /** The method's name after the protocol's name, for errors: 'raft/append'. */
  readonly full: string;
  /** The names of the method's values in errors: 'raft/append request'. */
  readonly what: {
    readonly request: string;
    readonly response: string;
    readonly upload: string;
    readonly download: string;
  };
  readonly id: number;
  readonly kind: MethodKind;
  readonly request: Codec<any, any>;
  readonly response: Codec<any, any> | undefined;
  readonly upload: Codec<any, any> | undefined;
  readonly download: Codec<any, any> | undefined;
  readonly timeout: number | undefined;
  readonly doc: string | undefined;
  /** The flags of its REQUEST frame: 1 if the caller streams, plus 2 if the callee streams. */
  readonly flags: 0 | 1 | 2 | 3;
}

/** A protocol's methods by name and by id, built once. */
export interface MethodTable {
  readonly byName: ReadonlyMap<string, ProtocolMethod>;
  readonly byId: ReadonlyMap<number, ProtocolMethod>;
  /**
   * The methods with ids below 256 in an array, where a lookup takes a third of the time that a Map
   * needs.
   */
  readonly byLowId: readonly (ProtocolMethod | undefined)[];
}

/**
 * Checks a definition at compile time: each invalid member is given an impossible type, whose text
 * explains the mistake. A definition without ids and mistakes adds nothing for the compiler to do.
 */
export type CheckMethods<M> =
  MembersOf<M> extends MethodMember
    ? 'id' extends MembersOf<M>
      ? {
          readonly [N in keyof M]: M[N] extends { readonly id: infer I extends number }
            ? I extends keyof NamesById<M>
              ? NamesById<M>[I] extends N
                ? unknown
                : { readonly id: `another method has id ${I}` }
              : unknown
            : unknown;
        }
      : unknown
    : {
        readonly [N in keyof M]: {
          readonly [K in Exclude<keyof M[N], MethodMember>]: `a method has no '${K & string}'`;
        };
      };

/** The members that any of the methods has. */
type MembersOf<M> = { readonly [N in keyof M]: keyof M[N] }[keyof M];

type MethodMember = keyof MethodBase | 'response' | 'upload' | 'download';

/**
 * The names of methods by their literal ids. Ids whose type is just `number`, and those of names,
 * are checked at run time instead.
 */
type NamesById<M> = {
  readonly [N in keyof M as M[N] extends { readonly id: infer I extends number }
    ? number extends I
      ? never
      : I
    : never]: N;
};

/**
 * Defines a protocol. TypeScript infers all types from the literal, without `as const`. A
 * definition that breaks a rule causes a type error where possible, and otherwise throws a
 * TypeError that names the path. The result is frozen; it shares no object with the literal except
 * the codecs.
 */
export function defineProtocol<const M extends ProtocolMethods>(
  definition: ProtocolDefinition<M & CheckMethods<M>>,
): Protocol<M> {
  return build(definition, 0x10) as Protocol<M>;
}

/**
 * A variant of `defineProtocol` for Trunkline's own protocols (peers, gossip), which use the
 * channels 0x00 to 0x0f. Use `defineProtocol` for yours, so that their channels can't collide with
 * these.
 */
export function defineProjectProtocol<const M extends ProtocolMethods>(
  definition: ProtocolDefinition<M & CheckMethods<M>>,
): Protocol<M> {
  return build(definition, 0) as Protocol<M>;
}

/**
 * Returns the methods of a protocol, by name and by id. Throws a TypeError if `defineProtocol` did
 * not make the protocol.
 */
export function methodTable(protocol: Protocol): MethodTable {
  const table = (protocol as (Protocol & { [TABLE]?: MethodTable }) | undefined)?.[TABLE];
  if (table === undefined)
    throw new TypeError('protocol: this object was not made by defineProtocol');
  return table;
}

/** Returns true if `defineProtocol` made the value, in this or another copy of the package. */
export function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && TABLE in value;
}

/** The key of a protocol's method table, shared by all copies of this package; not enumerable. */
const TABLE = Symbol.for('trunkline.methodTable');

function build(definition: ProtocolDefinition, lowestChannel: number): Protocol {
  checkDefinition(definition, lowestChannel);
  const {
    name,
    version = 1,
    accepts = [],
    channel = channelOf(name),
    priority = 10,
    ordered = false,
    doc,
  } = definition;
  const byName = new Map<string, ProtocolMethod>();
  const byId = new Map<number, ProtocolMethod>();
  const byLowId: (ProtocolMethod | undefined)[] = [];
  const methods: [string, MethodDefinition][] = [];
  for (const [methodName, given] of Object.entries(definition.methods)) {
    const method = toMethod(name, methodName, given);
    byName.set(methodName, method);
    byId.set(method.id, method);
    if (method.id < 256) byLowId[method.id] = method;
    methods.push([methodName, Object.freeze({ ...given, id: method.id })]);
  }
  const protocol: Protocol = {
    name,
    version,
    accepts: Object.freeze([...accepts]),
    channel,
    priority,
    ordered,
    doc,
    methods: Object.freeze(Object.fromEntries(methods)) as Protocol['methods'],
  };
  Object.defineProperty(protocol, TABLE, { value: Object.freeze({ byName, byId, byLowId }) });
  return Object.freeze(protocol);
}

function toMethod(
  protocol: string,
  name: string,
  { id = methodId(name), request, response, upload, download, timeout, doc }: MethodDefinition,
): ProtocolMethod {
  const flags = ((upload === undefined ? 0 : 1) +
    (download === undefined ? 0 : 2)) as ProtocolMethod['flags'];
  const kind = KINDS[flags] ?? (response === undefined ? 'oneway' : 'unary');
  const full = `${protocol}/${name}`;
  const what = Object.freeze({
    request: `${full} request`,
    response: `${full} response`,
    upload: `${full} upload item`,
    download: `${full} download item`,
  });
  return Object.freeze({
    name,
    full,
    what,
    id,
    kind,
    request,
    response,
    upload,
    download,
    timeout,
    doc,
    flags,
  });
}

/** The streaming kinds, by their flags. */
const KINDS: readonly (MethodKind | undefined)[] = [undefined, 'upload', 'download', 'duplex'];

// The checks of defineProtocol at run time: for JavaScript, for casts, and for ids that TypeScript
// does not know.

/** Throws a TypeError that names the protocol and the path of the first mistake. */
function checkDefinition(given: unknown, lowestChannel: number): void {
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
function channelOf(name: string): number {
  return 0x10 + (hashOf(name) % 240);
}

function hashOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
