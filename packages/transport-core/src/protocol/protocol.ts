// Definition of a protocol: a name, a channel and its methods. One definition gives both the types
// and the wire format. Tested in protocol.test.ts; transport/types.test.ts tests `CheckMethods`.

import {
  broken,
  flag,
  integer,
  list,
  millisecondsOrNever,
  number,
  type OptionField,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  withDefault,
} from '../config.ts';
import { hasLoneSurrogate, isPlainObject, member, quote } from '../text.ts';
import type { Codec } from './codec.ts';

/**
 * The definition that `defineProtocol` takes as a literal. Optional members also accept
 * `undefined`.
 */
export interface ProtocolDefinition<M extends ProtocolMethods = ProtocolMethods> {
  /**
   * The protocol's name: 1 to 255 bytes of UTF-8 without control characters, unique on a transport
   * and the same at all nodes.
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

/** A complete and frozen protocol, made by `defineProtocol` or `defineProjectProtocol`. */
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
  readonly what: Readonly<Record<'request' | 'response' | 'upload' | 'download', string>>;
  readonly id: number;
  /** The channel of its protocol. */
  readonly channel: number;
  /** Its place among the methods of its protocol, from 0. */
  readonly index: number;
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
  /** In the order of `index`, on which `Inbox` and `Serving` rely. */
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
  return build(definition, optional(integer(FIRST_OWN, 0xff))) as Protocol<M>;
}

/**
 * A variant of `defineProtocol` for Trunkline's own protocols (such as peers and gossip), which
 * have the channels 0x00 to 0x0f, each a different one. Use `defineProtocol` for yours, so that
 * their channels can't collide with these.
 */
export function defineProjectProtocol<const M extends ProtocolMethods>(
  definition: ProtocolDefinition<M & CheckMethods<M>>,
): Protocol<M> {
  // The channel is required. `isProjectProtocol` is false if it is 0x10 or above.
  return build(definition, integer(0, 0xff)) as Protocol<M>;
}

/**
 * Returns the methods of a protocol, by name and by id. Throws a TypeError for an object that is
 * not a protocol (`isProtocol`).
 */
export function methodTable(protocol: Protocol): MethodTable {
  const table = (protocol as (Protocol & { [TABLE]?: MethodTable }) | undefined)?.[TABLE];
  if (table === undefined)
    throw new TypeError('protocol: this object was not made by defineProtocol');
  return table;
}

/**
 * Returns true if `defineProtocol` or `defineProjectProtocol` made the value, in this or another
 * copy of the package.
 */
export function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && TABLE in value;
}

/**
 * Returns true for a protocol of Trunkline itself, which interceptors do not see, and whose calls
 * go on while the node drains.
 */
export function isProjectProtocol({ channel }: Protocol): boolean {
  return channel < FIRST_OWN;
}

/** The lowest channel of protocols that `defineProtocol` makes. */
const FIRST_OWN = 0x10;

/**
 * The key of a protocol's method table, which is not enumerable. All copies of this package in a
 * process share it, also those of other versions.
 */
const TABLE = Symbol.for('trunkline.methodTable');

function build(
  definition: ProtocolDefinition,
  channelField: OptionField<number | undefined>,
): Protocol {
  const named: unknown = (definition as Partial<ProtocolDefinition> | undefined)?.name;
  const who = typeof named === 'string' ? `defineProtocol ${quote(named)}` : 'defineProtocol';
  const given = parseOptions(schemaOf(channelField), definition, who);
  const { name, channel = channelOf(name) } = given;
  const byName = new Map<string, ProtocolMethod>();
  const byId = new Map<number, ProtocolMethod>();
  const byLowId: (ProtocolMethod | undefined)[] = [];
  const methods: [string, MethodDefinition][] = [];
  for (const [methodName, definition] of Object.entries(given.methods)) {
    const method = toMethod(name, channel, methodName, byName.size, definition);
    byName.set(methodName, method);
    byId.set(method.id, method);
    if (method.id < 256) byLowId[method.id] = method;
    methods.push([methodName, Object.freeze({ ...definition, id: method.id })]);
  }
  const protocol: Protocol = {
    ...given,
    channel,
    doc: given.doc,
    methods: Object.freeze(Object.fromEntries(methods)) as Protocol['methods'],
  };
  Object.defineProperty(protocol, TABLE, { value: Object.freeze({ byName, byId, byLowId }) });
  return Object.freeze(protocol);
}

function toMethod(
  protocol: string,
  channel: number,
  name: string,
  index: number,
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
    channel,
    index,
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

function isName(name: unknown): boolean {
  if (typeof name !== 'string' || hasLoneSurrogate(name)) return false;
  const { length } = new TextEncoder().encode(name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return length >= 1 && length <= 255 && !/[\u0000-\u001f\u007f-\u009f]/.test(name);
}

const MAX_UINT32 = 0xffff_ffff;

function isCodec(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, encode, decode, limit } = value as Record<string, unknown>;
  const hasMethods = typeof encode === 'function' && typeof decode === 'function';
  const isBounded = limit === undefined || (typeof limit === 'number' && limit > 0);
  return typeof name === 'string' && hasMethods && isBounded;
}

// The schemas are made in functions, so that bundlers can drop them.

const codec = () =>
  reference<Codec<any>>(isCodec, 'a codec: bytes, json(schema) or protobuf(type)');

const doc = () =>
  optional(
    reference<string>(
      (value) => typeof value === 'string' && value.length <= 4_096 && !hasLoneSurrogate(value),
      'a string of at most 4096 characters without lone surrogates',
    ),
  );

const methodSchema = () =>
  optionsSchema({
    id: optional(integer(1, MAX_UINT32)),
    request: codec(),
    response: optional(codec()),
    upload: optional(codec()),
    download: optional(codec()),
    timeout: optional(millisecondsOrNever()),
    doc: doc(),
  });

/** Checks methods and passes them on as they are. */
const methodsField: OptionField<ProtocolMethods> = {
  read(given, path, wrong) {
    if (!isPlainObject(given)) {
      wrong.push(broken(path, METHODS, given));
      return {};
    }
    const method = methodSchema();
    const nameOf = new Map<number, string>();
    for (const [name, definition] of Object.entries(given as ProtocolMethods)) {
      const at = `${path}${member(name)}`;
      const before = wrong.length;
      const read = method.read(definition, at, wrong);
      if (wrong.length > before) continue;
      const { id = methodId(name), response, upload, download } = read;
      if (name === 'then')
        wrong.push(
          `${at}: must have another name: \`await\` takes a client with a method 'then' for a promise, and hangs`,
        );
      if (response !== undefined && download !== undefined)
        wrong.push(
          `${at}: has both response and download; a method that streams its answers has download alone`,
        );
      if (upload !== undefined && response === undefined && download === undefined)
        wrong.push(`${at}: has upload, so it needs response or download`);
      const other = nameOf.get(id);
      if (other !== undefined)
        wrong.push(`${at}: has the id of ${quote(other)}, ${id}; give one of them another \`id\``);
      nameOf.set(id, name);
    }
    return given as ProtocolMethods;
  },
};

const METHODS =
  "must be a plain object of methods (a method named '__proto__' is written ['__proto__']: { … })";

const schemaOf = (channel: OptionField<number | undefined>) =>
  optionsSchema({
    name: reference<string>(
      isName,
      'a string of 1 to 255 bytes of UTF-8 without control characters or lone surrogates',
    ),
    version: withDefault(integer(0, MAX_UINT32), 1),
    accepts: withDefault(list(integer(0, MAX_UINT32), 64), []),
    channel,
    priority: withDefault(
      number((value) => value > 0 && value < Infinity, 'a finite number above 0'),
      10,
    ),
    ordered: withDefault(flag(), false),
    doc: doc(),
    methods: methodsField,
  });

// The numbers that protocols and methods get from their names. They must be the same at every node,
// so these functions must never change.

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
