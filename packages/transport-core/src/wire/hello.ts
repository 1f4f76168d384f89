// The Hello message, in which each end introduces itself and announces its protocols and limits:
// its encoding as frame.proto describes it, and the version of a protocol that two hellos agree on.
// session/handshake.test.ts tests `agree`, and src/testing/core/mounts.ts of transport-testkit
// `nothingShared`.

import { reasonError, TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import { ACCOUNT_MAX, METADATA_LIMIT } from './frame.ts';
import { utf8Length } from './metadata.ts';
import {
  bytes,
  decodeMessage,
  encodeMessage,
  type Fields,
  list,
  message,
  text,
  uint32,
  uint32s,
} from './protobuf-message.ts';

/** The first message of each end; frame.proto describes its fields. Absent strings are ''. */
export interface Hello {
  wireMin: number;
  wireMax: number;
  /** The id of the sender's transport: 32 hex digits in lower case. */
  instance: string;
  network: string;
  addr: string;
  agent: string;
  nodeId: string;
  protocols: HelloProtocol[];
  limits: HelloLimits;
  features: string[];
  observed: string;
  /**
   * The fields of the application's options `hello` and `name`; after decoding, an object without a
   * prototype, which must not be changed, because hellos without fields share one.
   */
  fields: Record<string, string>;
}

/** A mounted protocol, as a hello lists it. */
export interface HelloProtocol {
  name: string;
  version: number;
  accepts: number[];
  channel: number;
}

/** Information about a transport, which its hellos give to every peer. */
export interface Introduction {
  /** 32 random hex digits, generated once for each transport. */
  readonly instance: string;
  readonly network: string;
  /**
   * The address at which others reach it, or several, separated by commas; empty if it does not
   * listen.
   */
  readonly addr: string;
  /**
   * Returns its own node id; empty if it has none, or tells none to a peer that proves none itself.
   * @param proven the id that the peer proves, if any.
   */
  nodeIdFor(proven: string | undefined): string;
}

/**
 * Limits of the data that the sender is ready to receive, in bytes except for `calls` and
 * `streams`. Absent fields are 0.
 */
export type HelloLimits = Record<(typeof NAMES)[number], number>;

/** Returns the description of a protocol in a hello. */
export function helloProtocol({ name, version, accepts, channel }: Protocol): HelloProtocol {
  return { name, version, accepts: [...accepts], channel };
}

/**
 * Returns the version of a protocol to speak on this connection: the highest that both ends know;
 * or an error, `channel_mismatch` or `version_mismatch`, if the two ends can't speak it. A protocol
 * that is missing from the peer's list is used nevertheless, unless its channel is taken there,
 * because a new list may be on its way; the callee decides.
 */
export function agree(own: Protocol, theirs: readonly HelloProtocol[]): number | TransportError {
  const peer = theirs.find(({ name }) => name === own.name);
  if (peer === undefined) {
    const squatter = theirs.find(({ channel }) => channel === own.channel);
    if (squatter === undefined) return own.version;
    return mismatch(`channel ${own.channel} is '${own.name}'`, `'${cleanText(squatter.name)}'`);
  }
  if (peer.channel !== own.channel)
    return mismatch(`protocol '${own.name}' has channel ${own.channel}`, `${peer.channel}`);
  const known = new Set([peer.version, ...peer.accepts]);
  let best = -1;
  for (const version of [own.version, ...own.accepts])
    if (version > best && known.has(version)) best = version;
  if (best >= 0) return best;
  const list = (version: number, accepts: readonly number[]) => [version, ...accepts].join(', ');
  const text = `protocol '${own.name}': one end speaks version ${list(own.version, own.accepts)}, the other ${list(peer.version, peer.accepts)}; they share none`;
  return reasonError('version_mismatch', text);
}

/**
 * Returns an error if none of our protocols can be spoken with the peer, or if we have none.
 * Returns undefined if one can, or if the peer has not announced any protocol yet. `Transport.dial`
 * rejects with the error; the connection stays open.
 */
export function nothingShared(
  own: readonly Protocol[],
  theirs: readonly HelloProtocol[],
): TransportError | undefined {
  let why: TransportError | undefined;
  if (theirs.length === 0) return undefined;
  for (const protocol of own) {
    const agreed = agree(protocol, theirs);
    if (agreed instanceof TransportError) why ??= agreed;
    else if (theirs.some(({ name }) => name === protocol.name)) return undefined;
  }
  const names = (protocols: readonly { readonly name: string }[]) =>
    protocols.map(({ name }) => `'${name}'`).join(', ');
  const text = `one end has mounted ${names(own)}, the other ${names(theirs)}: they share no protocol`;
  return why ?? reasonError('no_shared_protocol', text);
}

function mismatch(ours: string, theirs: string): TransportError {
  const text = `${ours} at one end and ${theirs} at the other: give each protocol the same channel on every node`;
  return reasonError('channel_mismatch', text);
}

/**
 * Encodes the Hello of a HELLO frame.
 *
 * @throws TransportError `invalid_argument` for a hello that a peer would refuse: above 16 KiB, or
 * for one of the reasons in `wrongHello`.
 */
export function encodeHello(hello: Hello): Uint8Array {
  const wrong = wrongHello(hello);
  if (wrong !== undefined) throw unfit(`hello can't be sent: ${wrong}`);
  const fields = Object.entries(hello.fields).map(([key, value]) => ({ key, value }));
  return encode({ ...hello, instance: bytesOfHex(hello.instance), fields });
}

/**
 * Decodes the Hello of a HELLO frame; returns a string that describes the problem if it is invalid.
 */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const decoded = decode(bytes);
  if (typeof decoded === 'string') return decoded;
  const { instance } = decoded;
  if (instance.length !== INSTANCE_LENGTH)
    return `an instance of ${instance.length} bytes instead of ${INSTANCE_LENGTH}`;
  // Without a prototype, because a peer chooses the keys.
  const fields: Hello['fields'] = decoded.fields.length === 0 ? NO_FIELDS : Object.create(null);
  for (const { key, value } of decoded.fields) fields[key] = value;
  const hello: Hello = { ...decoded, instance: hexOfBytes(instance), fields };
  const wrong = wrongHello(hello);
  return wrong === undefined ? hello : cleanText(wrong);
}

/** The parts of a hello that may change while a connection is up. */
export interface Announcement {
  /** All protocols that the sender has mounted. */
  readonly protocols: readonly HelloProtocol[];
  /** The address at which the sender can be reached; if it is empty, the last one still holds. */
  readonly addr: string;
}

/**
 * Encodes a PROTOCOLS frame: a Hello that contains only protocols and an address.
 *
 * @throws TransportError `invalid_argument` for an announcement that a peer would refuse: above 16
 * KiB, with an address that is too long, or for one of the reasons in `wrongProtocols`.
 */
export function encodeProtocols({ protocols, addr }: Announcement): Uint8Array {
  const wrong = wrongText('addr', addr) ?? wrongProtocols(protocols);
  if (wrong !== undefined) throw unfit(`list of protocols can't be sent: ${wrong}`);
  return encode({ protocols: [...protocols], addr });
}

/** Decodes a PROTOCOLS frame; returns a string that describes the problem if it is invalid. */
export function decodeProtocols(bytes: Uint8Array): Announcement | string {
  const decoded = decode(bytes);
  if (typeof decoded === 'string') return decoded;
  const { protocols, addr } = decoded;
  const wrong = wrongText('addr', addr) ?? wrongProtocols(protocols);
  return wrong === undefined ? { protocols, addr } : cleanText(wrong);
}

/**
 * Returns why a peer refuses a hello as malformed, apart from its size; undefined if it is valid.
 */
function wrongHello(hello: Hello): string | undefined {
  if (!INSTANCE.test(hello.instance))
    return `an instance of ${hello.instance.length} characters that are not ${INSTANCE_LENGTH * 2} hex digits`;
  for (const name of ['network', 'addr', 'agent', 'nodeId', 'observed'] as const) {
    const wrong = wrongText(name, hello[name]);
    if (wrong !== undefined) return wrong;
  }
  if (!NODE_ID.test(hello.nodeId)) return 'a node id that is not 64 hex digits in lower case';
  if (hello.features.length > HELLO_ENTRIES_LIMIT)
    return `${hello.features.length} features; at most ${HELLO_ENTRIES_LIMIT}`;
  for (const feature of hello.features) {
    const wrong = wrongText('a feature', feature);
    if (wrong !== undefined) return wrong;
  }
  const { packet } = hello.limits;
  if (packet < PACKET_MIN || packet > PACKET_MAX)
    return `a packet limit of ${packet} bytes; it is ${PACKET_MIN} to ${PACKET_MAX}`;
  for (const account of ['pipe', 'inbox', 'stream'] as const) {
    if (hello.limits[account] > ACCOUNT_MAX)
      return `a ${account} account of ${hello.limits[account]} bytes; at most ${ACCOUNT_MAX}`;
  }
  let size = 0;
  for (const [key, value] of Object.entries(hello.fields)) {
    if (typeof value !== 'string') return `fields['${key}'] is a ${typeof value}, not a string`;
    size += utf8Length(key) + utf8Length(value);
    if (size > METADATA_LIMIT)
      return `fields of more than ${METADATA_LIMIT} bytes of keys and values`;
  }
  return wrongProtocols(hello.protocols);
}

/** Returns why a peer refuses a list of protocols as malformed; undefined if it is valid. */
function wrongProtocols(protocols: readonly HelloProtocol[]): string | undefined {
  if (protocols.length > HELLO_ENTRIES_LIMIT)
    return `${protocols.length} protocols; at most ${HELLO_ENTRIES_LIMIT}`;
  const names = new Set<string>();
  const channels = new Set<number>();
  for (const { name, accepts, channel } of protocols) {
    if (name === '') return 'a protocol without a name';
    const wrong = wrongText("a protocol's name", name);
    if (wrong !== undefined) return wrong;
    if (accepts.length > HELLO_ENTRIES_LIMIT)
      return `the protocol '${name}' accepts ${accepts.length} versions; at most ${HELLO_ENTRIES_LIMIT}`;
    if (channel > 0xff)
      return `the protocol '${name}' on channel ${channel}; channels are 0 to 255`;
    if (names.has(name)) return `the protocol '${name}' twice`;
    if (channels.has(channel)) return `channel ${channel} twice`;
    names.add(name);
    channels.add(channel);
  }
  return undefined;
}

function wrongText(name: string, text: string): string | undefined {
  if (text.length * 3 <= HELLO_TEXT_LIMIT) return undefined;
  const size = utf8Length(text);
  return size > HELLO_TEXT_LIMIT
    ? `${name} of ${size} bytes; at most ${HELLO_TEXT_LIMIT}`
    : undefined;
}

function encode(hello: Partial<EncodedHello>): Uint8Array {
  const bytes = new Uint8Array(encodeMessage(hello, FIELDS));
  if (bytes.length > HELLO_LIMIT)
    throw unfit(
      `hello takes ${bytes.length} bytes, above ${HELLO_LIMIT}; shorten its fields or mount fewer protocols`,
    );
  return bytes;
}

function unfit(what: string): TransportError {
  return new TransportError('invalid_argument', `this transport's ${what}`, { sent: false });
}

function decode(bytes: Uint8Array): EncodedHello | string {
  if (bytes.length > HELLO_LIMIT) return `a hello of ${bytes.length} bytes; at most ${HELLO_LIMIT}`;
  try {
    return decodeMessage(bytes, FIELDS);
  } catch (error) {
    return `a hello that is not valid protobuf: ${(error as Error).message}`;
  }
}

/** Returns bytes as hex digits in lower case. */
export function hexOfBytes(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += (byte + 0x100).toString(16).slice(1);
  return hex;
}

function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** A hello as it is encoded: the instance in bytes, and the fields as the entries of a map. */
interface EncodedHello extends Omit<Hello, 'instance' | 'fields'> {
  instance: Uint8Array;
  fields: { key: string; value: string }[];
}

/** The names of the limits, in the order of their numbers in frame.proto. */
const NAMES = ['message', 'item', 'packet', 'pipe', 'inbox', 'stream', 'calls', 'streams'] as const;

/** In this table and the next three, the index of a field is its number in frame.proto. */
const LIMITS: Fields<HelloLimits> = [undefined, ...NAMES.map((name) => [name, uint32] as const)];

const PROTOCOL: Fields<HelloProtocol> = [
  undefined,
  ['name', text],
  ['version', uint32],
  ['accepts', uint32s],
  ['channel', uint32],
];

const ENTRY: Fields<{ key: string; value: string }> = [undefined, ['key', text], ['value', text]];

const FIELDS: Fields<EncodedHello> = [
  undefined,
  ['wireMin', uint32],
  ['wireMax', uint32],
  ['instance', bytes],
  ['network', text],
  ['addr', text],
  ['agent', text],
  ['nodeId', text],
  ['protocols', list(message(PROTOCOL))],
  ['limits', message(LIMITS)],
  ['features', list(text)],
  ['observed', text],
  ['fields', list(message(ENTRY))],
];

const INSTANCE_LENGTH = 16;
const INSTANCE = /^[0-9a-f]{32}$/;
/** A node id; empty for a sender that has none. */
const NODE_ID = /^([0-9a-f]{64})?$/;

/** Maximum size of a Hello, in bytes. */
const HELLO_LIMIT = 16 * 1024;

/**
 * Maximum length of a frame until the peer's HELLO was read, in bytes. Part of the wire protocol
 * (docs/wire-protocol.md §2), as are the other limits below. The part above HELLO_LIMIT is room for
 * other fields and for the text of a GO_AWAY.
 */
export const HELLO_FRAME_LIMIT = HELLO_LIMIT + 4_096;

/**
 * The maximum number of protocols in a hello, of versions that a protocol accepts, and of features.
 */
const HELLO_ENTRIES_LIMIT = 64;

/** Shared by all hellos without fields, because there may be many of them. */
const NO_FIELDS: Record<string, string> = Object.freeze(Object.create(null));

/** Maximum length of a string in a hello, except in `fields`, in bytes. */
export const HELLO_TEXT_LIMIT = 1024;

/** The range of packet sizes in bytes. common-options.ts repeats it, and its test compares them. */
export const PACKET_MIN = 4 * 1024;
export const PACKET_MAX = 1024 * 1024;
