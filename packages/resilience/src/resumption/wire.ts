// The metadata with which a client opens and continues a stream. Its keys and forms are part of the
// wire; docs/resumption.md describes them. Items are sent unchanged, without numbers, because both
// ends count them.

import { TransportError } from '@trunkline/transport-core';

/** The token of the stream: 128 random bits as 32 hex digits, chosen by the client. */
const TOKEN = 'trunkline-resume';
/** The number of items that the client has received; absent in the call that opens the stream. */
const OFFSET = 'trunkline-resume-offset';
/** Present if the client only asks whether the server keeps the stream. */
const CHECK = 'trunkline-resume-check';

/** A request for a stream. */
export interface StreamRequest {
  readonly token: string;
  /** The number of items that the client has received; undefined to open the stream. */
  readonly offset: number | undefined;
  /** True to ask only whether the server keeps the stream. */
  readonly isCheck: boolean;
}

/** Returns the metadata of a call, including the caller's own. */
export function writeRequest(
  { token, offset, isCheck }: StreamRequest,
  own: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return {
    ...own,
    [TOKEN]: token,
    ...(offset === undefined ? {} : { [OFFSET]: String(offset) }),
    ...(isCheck ? { [CHECK]: '1' } : {}),
  };
}

/**
 * Returns the request in the metadata of a call, and the caller's own metadata. The request is
 * undefined if the call was not made by `resume`.
 *
 * @throws TransportError `invalid_argument` for a malformed token or offset.
 */
export function readRequest(metadata: Readonly<Record<string, string>>): {
  readonly request: StreamRequest | undefined;
  readonly own: Readonly<Record<string, string>>;
} {
  const { [TOKEN]: token, [OFFSET]: offset, [CHECK]: check, ...own } = metadata;
  if (token === undefined) return { request: undefined, own: metadata };
  if (!/^[0-9a-f]{32}$/.test(token)) throw malformed(TOKEN, '32 hex digits', token);
  if (offset !== undefined && !/^(0|[1-9]\d{0,14})$/.test(offset))
    throw malformed(OFFSET, 'an integer from 0 to 10^15 - 1', offset);
  return {
    request: {
      token,
      offset: offset === undefined ? undefined : Number(offset),
      isCheck: check !== undefined,
    },
    own: Object.freeze(own),
  };
}

function malformed(key: string, rule: string, value: string): TransportError {
  const shown = JSON.stringify(value.slice(0, 64));
  return new TransportError('invalid_argument', `metadata['${key}'] must be ${rule}, got ${shown}`);
}
