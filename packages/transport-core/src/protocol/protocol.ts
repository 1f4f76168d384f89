// A protocol: a name, a channel and its methods, said once and understood by the compiler and the wire alike.

import { channelOf } from './channel-of.ts';
import { checkDefinition } from './check-definition.ts';
import type { Codec } from './codec.ts';

/** What a protocol is defined by; `defineProtocol` takes it as a literal. Optional members also accept `undefined`. */
export interface ProtocolDefinition<M extends Methods = Methods> {
  /** 1 to 255 bytes of UTF-8 without control characters; unique on a transport. */
  readonly name: string;
  /** An integer from 0 to 2^32 − 1. */
  readonly version: number;
  /** Older (or newer) versions that are understood too, at most 64. Default none. The highest that both ends know is agreed. */
  readonly accepts?: readonly number[] | undefined;
  /**
   * The byte that stands for this protocol on a connection: 0x10 to 0xff, the same at all nodes, and unique on a transport. Each channel has queues
   * and credit of its own. Left out, it is a hash of the name. Hashes of ten names meet in one of six cases, which is a TypeError when the second
   * protocol is mounted, so give numbers once you have several protocols. 0x00 to 0x0f are the project's own.
   */
  readonly channel?: number | undefined;
  /** The share of the wire against other channels, above 0. Default 10: twice that is twice the bytes, where both have some waiting. */
  readonly priority?: number | undefined;
  /** True keeps messages longer than one packet in line with short ones, which then wait for them. Default false. */
  readonly ordered?: boolean | undefined;
  readonly methods: M;
}

/** A protocol, complete and frozen; made by `defineProtocol` alone. */
export interface Protocol<M extends Methods = Methods> {
  readonly name: string;
  readonly version: number;
  /** As given: `version` need not be among them. */
  readonly accepts: readonly number[];
  readonly channel: number;
  readonly priority: number;
  readonly ordered: boolean;
  readonly methods: M;
}

/** Methods by name. A name is never sent, its id is: names may change, ids may not. Any string is an ordinary name. */
export type Methods = Readonly<Record<string, MethodDefinition>>;

/** One method: which of `response`, `upload` and `download` it has makes its kind. */
export type MethodDefinition = UnaryDefinition | OneWayDefinition | UploadDefinition | DownloadDefinition | DuplexDefinition;

/** What every kind of method has. */
export interface MethodBase {
  /** 1 to 2^32 − 1, unique in its protocol. */
  readonly id: number;
  readonly request: Codec<any, any>;
  /**
   * Milliseconds, above 0 or `Infinity`: goes before the transport's `timeout`, behind the call's own. Of a method that streams it
   * bounds each wait for progress.
   */
  readonly timeout?: number | undefined;
}

/** One request, one response. */
export interface UnaryDefinition extends MethodBase {
  readonly response: Codec<any, any>;
  readonly upload?: undefined;
  readonly download?: undefined;
}

/** A request that nobody answers. */
export interface OneWayDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload?: undefined;
  readonly download?: undefined;
}

/** The caller streams, then gets one response. */
export interface UploadDefinition extends MethodBase {
  readonly response: Codec<any, any>;
  readonly upload: Codec<any, any>;
  readonly download?: undefined;
}

/** The callee streams. */
export interface DownloadDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload?: undefined;
  readonly download: Codec<any, any>;
}

/** Both stream. */
export interface DuplexDefinition extends MethodBase {
  readonly response?: undefined;
  readonly upload: Codec<any, any>;
  readonly download: Codec<any, any>;
}

export type MethodKind = 'unary' | 'oneway' | 'upload' | 'download' | 'duplex';

/** A method as the transport uses it. */
export interface Method {
  readonly name: string;
  /** With its protocol's: 'raft.append'. For errors. */
  readonly full: string;
  /** Its values as errors name them: 'raft.append request'. */
  readonly what: { readonly request: string; readonly response: string; readonly upload: string; readonly download: string };
  readonly id: number;
  readonly kind: MethodKind;
  readonly request: Codec<any, any>;
  readonly response: Codec<any, any> | undefined;
  readonly upload: Codec<any, any> | undefined;
  readonly download: Codec<any, any> | undefined;
  readonly timeout: number | undefined;
  /** As in a REQUEST frame: 1 the caller streams, 2 the callee streams. */
  readonly flags: 0 | 1 | 2 | 3;
}

/** A protocol's methods by name and by id, made once. */
export interface MethodTable {
  readonly byName: ReadonlyMap<string, Method>;
  readonly byId: ReadonlyMap<number, Method>;
  /** Those with ids below 256 once more, in an array: found in a third of a Map's time. */
  readonly byLowId: readonly (Method | undefined)[];
}

/** What a wrong literal is held against: each wrong member asks for a type that it can't have, whose text says why. */
export type CheckMethods<M> = {
  readonly [N in keyof M]: {
    readonly [K in Exclude<keyof M[N], keyof MethodBase | 'response' | 'upload' | 'download'>]: `a method has no '${K & string}'`;
  } & (M[N] extends { readonly id: infer I extends number } ? (I extends OtherIds<M, N> ? { readonly id: `another method has id ${I}` } : unknown) : unknown);
};

/** The literal ids of all methods but N; `number`, where the compiler does not know an id, is left to run time. */
type OtherIds<M, N extends keyof M> = {
  [K in Exclude<keyof M, N>]: M[K] extends { readonly id: infer I extends number } ? (number extends I ? never : I) : never;
}[Exclude<keyof M, N>];

/**
 * Defines a protocol. All types are inferred from the literal, without `as const`; what breaks a rule is an error of types and a
 * TypeError that names its path. The result is frozen and shares no object with the literal but the codecs.
 */
export function defineProtocol<const M extends Methods>(definition: ProtocolDefinition<M & CheckMethods<M>>): Protocol<M> {
  return build(definition, 0x10) as Protocol<M>;
}

/**
 * `defineProtocol` for the project's own protocols (peers, gossip), on the channels 0x00 to 0x0f. Yours have the others, or they would
 * meet: use `defineProtocol`.
 */
export function defineProjectProtocol<const M extends Methods>(definition: ProtocolDefinition<M & CheckMethods<M>>): Protocol<M> {
  return build(definition, 0) as Protocol<M>;
}

/** The methods of a protocol, by name and by id. A TypeError where `defineProtocol` did not make it. */
export function methodTable(protocol: Protocol): MethodTable {
  const table = (protocol as (Protocol & { [TABLE]?: MethodTable }) | undefined)?.[TABLE];
  if (table === undefined) throw new TypeError('protocol: this object was not made by defineProtocol');
  return table;
}

/** Did `defineProtocol` make it? True also where another copy of this package did. */
export function isProtocol(value: unknown): value is Protocol {
  return typeof value === 'object' && value !== null && TABLE in value;
}

/** Known to every copy of this package; not enumerable. */
const TABLE = Symbol.for('trunkline.methodTable');

function build(definition: ProtocolDefinition, lowestChannel: number): Protocol {
  checkDefinition(definition, lowestChannel);
  const { name, version, accepts = [], channel = channelOf(name), priority = 10, ordered = false } = definition;
  const byName = new Map<string, Method>();
  const byId = new Map<number, Method>();
  const byLowId: (Method | undefined)[] = [];
  const methods: [string, MethodDefinition][] = [];
  for (const [methodName, given] of Object.entries(definition.methods)) {
    const method = toMethod(name, methodName, given);
    byName.set(methodName, method);
    byId.set(method.id, method);
    if (method.id < 256) byLowId[method.id] = method;
    methods.push([methodName, Object.freeze({ ...given })]);
  }
  const protocol: Protocol = {
    name,
    version,
    accepts: Object.freeze([...accepts]),
    channel,
    priority,
    ordered,
    methods: Object.freeze(Object.fromEntries(methods)),
  };
  Object.defineProperty(protocol, TABLE, { value: Object.freeze({ byName, byId, byLowId }) });
  return Object.freeze(protocol);
}

function toMethod(protocol: string, name: string, { id, request, response, upload, download, timeout }: MethodDefinition): Method {
  const flags = ((upload === undefined ? 0 : 1) + (download === undefined ? 0 : 2)) as Method['flags'];
  const kind = KINDS[flags] ?? (response === undefined ? 'oneway' : 'unary');
  const full = `${protocol}.${name}`;
  const what = Object.freeze({ request: `${full} request`, response: `${full} response`, upload: `${full} upload item`, download: `${full} download item` });
  return Object.freeze({ name, full, what, id, kind, request, response, upload, download, timeout, flags });
}

/** The kinds that stream, by their flags. */
const KINDS: readonly (MethodKind | undefined)[] = [undefined, 'upload', 'download', 'duplex'];
