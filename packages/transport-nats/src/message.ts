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
  /** The acceptor's answer to a dial: JSON. */
  accept: 4,
  /** The acceptor's refusal of a dial: JSON. */
  refuse: 5,
  /** The dialer's answer to `accept`: empty. */
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
 * buffers with tiny messages.
 */
export const OVERHEAD = 256;

/** The content of `accept` and of the request to dial. */
export interface Terms {
  /** The credit with which the receiver of the terms begins. */
  readonly credit: number;
  /**
   * Maximum size, in bytes, of a message that the sender of the terms can receive, including its
   * header.
   */
  readonly max: number;
}

/** The version of the messages, in the request to dial. */
export const VERSION = 1;

/** Returns the terms in JSON, with the version of the messages. */
export function encodeTerms(terms: Terms): Uint8Array {
  return encoder.encode(JSON.stringify({ version: VERSION, ...terms }));
}

/** Returns the terms, or a description of the problem if a peer sent anything else. */
export function decodeTerms(bytes: Uint8Array): Terms | string {
  const { version, credit, max } = parseObject(bytes);
  if (version !== VERSION) return `it speaks version ${quote(version)}, not ${VERSION}`;
  if (!isBetween(credit, LEAST_CREDIT, MOST_CREDIT)) return `it grants ${quote(credit)} of credit`;
  if (!isBetween(max, LEAST_MESSAGE, 2 ** 31)) return `it takes messages of ${quote(max)} bytes`;
  return { credit, max };
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
/** Maximum credit that a peer may hold, in units. */
export const MOST_CREDIT = 64 * 1024 * 1024;
/** The smallest `max_payload` with which a connection works. */
export const LEAST_MESSAGE = 1_024;
