// Definition of a protocol: a name, a channel and its methods. One definition gives both the types
// and the wire format.

import { channelOf, checkDefinition, methodId } from './check-definition.ts';
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
