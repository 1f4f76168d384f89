// Encoding of metadata, whose limits the sender checks here, and below it the errors of ERROR and
// GO_AWAY frames. Calls encode their metadata; sessions encode and read the errors.

import {
  codeOf,
  ERROR_CODES,
  reasonNumber,
  reasonOf,
  stackless,
  TransportError,
} from '../errors.ts';
import { cleanText, errorText, hasLoneSurrogate, truncateText } from '../text.ts';
import {
  type EncodedMetadata,
  type Frame,
  METADATA_LIMIT,
  UNPROCESSED,
  type WireError,
  writeVarint,
} from './frame.ts';
import * as Kind from './kind.ts';

/**
 * Encodes the metadata of a call; returns undefined if there is none. The result holds a copy, so
 * later changes to `record` have no effect.
 *
 * @throws TransportError `invalid_argument` for a lone surrogate, above 8 KiB of keys and values
 * (UTF-8), or above 15 KiB as encoded (many tiny entries).
 * @throws TypeError if a value is not a string.
 */
export function encodeMetadata(
  record: Readonly<Record<string, string>> | undefined,
): EncodedMetadata | undefined {
  if (record === undefined) return undefined;
  const entries = Object.entries(record);
  if (entries.length === 0) return undefined;
  const value: Record<string, string> = Object.create(null);
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const [key, text] of entries) {
    if (typeof text !== 'string')
      throw new TypeError(
        `metadata['${key}'] is ${text === null ? 'null' : `a ${typeof text}`}; metadata holds strings only`,
      );
    if (hasLoneSurrogate(key) || hasLoneSurrogate(text))
      throw unfit(`metadata['${key}'] has a lone surrogate, which is not valid Unicode`);
    const keyBytes = encoder.encode(key);
    const textBytes = encoder.encode(text);
    value[key] = text;
    size += keyBytes.length + textBytes.length;
    if (size > METADATA_LIMIT)
      throw unfit(`the metadata has more than ${METADATA_LIMIT} bytes of keys and values; ${HINT}`);
    parts.push(keyBytes, textBytes);
  }
  // An entry adds at most nine bytes to its two texts: see `writeEntry`.
  const bytes = new Uint8Array(size + parts.length * 5);
  let at = 0;
  for (let i = 0; i < parts.length; i += 2) at = writeEntry(bytes, at, parts[i]!, parts[i + 1]!);
  if (at > ENCODED_METADATA_LIMIT)
    throw unfit(
      `the metadata takes ${at} bytes with its ${entries.length} entries, above the ${ENCODED_METADATA_LIMIT} that a frame can hold; ${HINT}`,
    );
  return { bytes: bytes.subarray(0, at), size, value };
}

/** Returns the length of a string in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Maximum size of encoded metadata in bytes: together with the other fields of a message, it fits
 * into FRAME_OVERHEAD. (With the text of an ERROR, it may not; but an ERROR has no payload.)
 */
const ENCODED_METADATA_LIMIT = 15 * 1024;

/**
 * Writes one map entry of field 11 of the frame: key 1, value 2. METADATA_LIMIT keeps each of the
 * three lengths within two bytes. The tags are METADATA, ENTRY_KEY and ENTRY_VALUE of frame.ts.
 */
function writeEntry(bytes: Uint8Array, at: number, key: Uint8Array, value: Uint8Array): number {
  const keyWidth = key.length < 0x80 ? 1 : 2;
  const valueWidth = value.length < 0x80 ? 1 : 2;
  const length = 1 + keyWidth + key.length + 1 + valueWidth + value.length;
  bytes[at++] = 0x5a;
  at = writeVarint(bytes, at, length);
  bytes[at++] = 0x0a;
  at = writeVarint(bytes, at, key.length);
  bytes.set(key, at);
  at += key.length;
  bytes[at++] = 0x12;
  at = writeVarint(bytes, at, value.length);
  bytes.set(value, at);
  return at + value.length;
}

function unfit(message: string): TransportError {
  return new TransportError('invalid_argument', message, { sent: false });
}

const HINT = 'send large things as the request';

const encoder = new TextEncoder();

// Errors as frames carry them: numbers instead of names, and a shortened text
// (docs/wire-protocol.md §4, §8).

/**
 * Returns an error as ERROR carries it. A reason with the number 0 is left out; the caller sets the
 * flag UNPROCESSED.
 */
export function errorFrame(error: TransportError): WireError {
  return {
    code: ERROR_CODES[error.code],
    reason: reasonNumber(error.reason),
    text: truncateText(error.message),
    metadata: metadataOf(error),
  };
}

/**
 * Returns an error as GO_AWAY carries it. An error without a reason that has a number, such as that
 * of a connection that holds too much of `limits.memory`, is sent as `refused`.
 * @param text the text that the peer receives.
 */
export function goAwayFrame(error: TransportError, text = error.message): WireError {
  return {
    code: ERROR_CODES[error.code],
    reason: reasonNumber(error.reason) || reasonNumber('refused'),
    text: truncateText(text),
    metadata: undefined,
  };
}

/**
 * Returns the error that an ERROR or a GO_AWAY carries.
 * @param prefix put before its text.
 * @param absent the text if it has none.
 */
export function remoteError(frame: Frame, prefix = '', absent = ''): TransportError {
  const isCall = frame.kind === Kind.ERROR;
  return stackless(codeOf(frame.code), prefix + (cleanText(frame.text) || absent), {
    reason: reasonOf(frame.reason),
    origin: 'remote',
    metadata: isCall ? frame.metadata : undefined,
    sent: isCall ? (frame.flags & UNPROCESSED) === 0 : undefined,
  });
}

/**
 * Encodes the metadata of an error. If that is impossible, the reason is sent in its place, so that
 * the error itself is still sent.
 */
function metadataOf(error: TransportError): EncodedMetadata | undefined {
  try {
    return encodeMetadata(error.metadata);
  } catch (refusal) {
    // The text quotes a key, which may be long or not valid Unicode.
    return encodeMetadata({ 'trunkline-metadata': cleanText(errorText(refusal)) });
  }
}
