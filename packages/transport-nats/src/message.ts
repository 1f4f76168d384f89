// The messages on the two subjects of a connection (docs/wire-nats.md): a sequence number, a type,
// and the content.

import { allocate } from '@trunkline/transport-core/backend';
import { LEAST_CREDIT } from './credit-pool.ts';

/** The types of messages. */
export const MessageType = {
  /** Bytes of the stream. */
  data: 0,
  /** Credit: the number of additional units that the receiver of this message may spend. */
  credit: 1,
  /** The normal end of this direction. */
  end: 2,
  /** The immediate end of the connection. */
  reset: 3,
  /** The acceptor's answer to a dial, with a cookie: JSON. */
  accept: 4,
  /** The acceptor's refusal of a dial: JSON. */
  refuse: 5,
  /** The dialer's answer to `accept`: the cookie, its terms, and the first bytes of the stream. */
  confirm: 6,
  /** Only shows whether the peer is still there: empty. */
  probe: 7,
} as const;

/**
 * The number of bytes before the content: the sequence number (32 bits, big-endian) and the type.
 */
export const HEADER = 5;

/** Creates a message with room for its content, which the caller writes from `HEADER` on. */
export function createMessage(sequence: number, type: number, length: number): Uint8Array {
  const message = allocate(HEADER + length);
  writeNumber(message, 0, sequence);
  message[4] = type;
  return message;
}

/** Reads a number of 32 bits, big-endian. */
export function readNumber(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

export function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/**
 * Returns the number of units that a data message costs: its bytes, and a fixed number for the
 * headers around them.
 */
export function costOf(length: number): number {
  return length + OVERHEAD;
}

/**
 * The number of units for the memory that a server needs for a message in addition to its data: our
 * header, and NATS's line with the two subjects. Without this charge, a peer could fill a server's
 * buffers with tiny messages. Both ends must use the same number (docs/wire-nats.md).
 */
export const OVERHEAD = 256;

/** The content of `accept`. */
export interface Acceptance {
  /**
   * Maximum size, in bytes, of a message that the sender of this can receive, including its header.
   */
  readonly max: number;
  /** Proves to the acceptor that it has answered this dialer. */
  readonly cookie: string;
}

/** The content of `confirm` before the first bytes of the stream. */
export interface Confirmation extends Acceptance {
  /** The credit with which the acceptor begins, in units. */
  readonly credit: number;
}

/** The version of the messages, in the request to dial. */
const VERSION = 1;

/** Returns the content of a request to dial. */
export function encodeRequest(): Uint8Array {
  return encodeObject({});
}

/** Returns a description of the problem if this is no request to dial. */
export function checkRequest(bytes: Uint8Array): string | undefined {
  return otherVersion(parseObject(bytes));
}

export function encodeAcceptance(acceptance: Acceptance): Uint8Array {
  return encodeObject(acceptance);
}

/**
 * Returns the content of `accept`, or a description of the problem if a peer sent anything else.
 */
export function decodeAcceptance(bytes: Uint8Array): Acceptance | string {
  const object = parseObject(bytes);
  const { max, cookie } = object;
  const problem = otherVersion(object);
  if (problem !== undefined) return problem;
  if (!isBetween(max, LEAST_MESSAGE, 2 ** 31)) return `it takes messages of ${quote(max)} bytes`;
  if (typeof cookie !== 'string' || cookie.length > MOST_COOKIE)
    return `its cookie is not a text of up to ${MOST_COOKIE} characters`;
  return { max, cookie };
}

/** Returns the beginning of the content of `confirm`: its length (16 bits) and JSON. */
export function encodeConfirmation(confirmation: Confirmation): Uint8Array {
  const json = encodeObject(confirmation);
  const head = allocate(2 + json.length);
  head[0] = json.length >>> 8;
  head[1] = json.length;
  head.set(json, 2);
  return head;
}

/**
 * Returns the content of `confirm`, with the first bytes of the stream, or a description of the
 * problem if a peer sent anything else.
 */
export function decodeConfirmation(
  bytes: Uint8Array,
): (Confirmation & { readonly first: Uint8Array }) | string {
  const end = bytes.length < 2 ? 2 : 2 + ((bytes[0]! << 8) | bytes[1]!);
  const json = bytes.subarray(2, end);
  const acceptance = decodeAcceptance(json);
  if (typeof acceptance === 'string') return acceptance;
  const { credit } = parseObject(json);
  if (!isBetween(credit, LEAST_CREDIT, MOST_CREDIT)) return `it grants ${quote(credit)} of credit`;
  const first = bytes.subarray(end);
  if (first.length === 0 || first.length > MOST_FIRST)
    return `it has ${first.length} bytes of the stream, not 1 to ${MOST_FIRST}`;
  return { ...acceptance, credit, first };
}

/** The content of `refuse`. */
export interface Refusal {
  /** A reason of a TransportError, if there is one. */
  readonly reason?: string | undefined;
  readonly message: string;
}

export function encodeRefusal(refusal: Refusal): Uint8Array {
  return encoder.encode(JSON.stringify(refusal));
}

export function decodeRefusal(bytes: Uint8Array): Refusal {
  const { reason, message } = parseObject(bytes);
  return {
    reason: typeof reason === 'string' ? reason : undefined,
    message: typeof message === 'string' ? message : 'no reason was given',
  };
}

/** Returns an object in JSON, with the version of the messages. */
function encodeObject(object: object): Uint8Array {
  return encoder.encode(JSON.stringify({ version: VERSION, ...object }));
}

function otherVersion({ version }: Record<string, unknown>): string | undefined {
  return version === VERSION ? undefined : `it speaks version ${quote(version)}, not ${VERSION}`;
}

/**
 * Returns the object in a peer's JSON; an empty object if the JSON is too long or is not an object.
 */
function parseObject(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > MOST_JSON) return {};
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function quote(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Maximum length of JSON that is parsed, in bytes. */
const MOST_JSON = 1_024;
/** Maximum number of characters in a cookie. */
const MOST_COOKIE = 64;
/** Maximum number of bytes of the stream in `confirm`: the least credit pays for them. */
export const MOST_FIRST = LEAST_CREDIT - OVERHEAD;
/** Maximum credit that a peer may hold, in units. */
export const MOST_CREDIT = 64 * 1024 * 1024;
/** The smallest `max_payload` with which a connection works. */
export const LEAST_MESSAGE = 1_024;
