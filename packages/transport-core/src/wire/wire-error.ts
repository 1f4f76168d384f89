// Errors as frames carry them: numbers and a shortened text instead of names (docs/errors.md).

import {
  codeNumber,
  codeOf,
  ERROR_REASONS,
  reasonNumber,
  reasonOf,
  stackless,
  type TransportError,
} from '../errors.ts';
import { cleanText, truncateText } from '../text.ts';
import { type EncodedMetadata, type Frame, Kind, UNPROCESSED, type WireError } from './frame.ts';
import { encodeMetadata } from './metadata.ts';

/** Returns an error as ERROR carries it. */
export function errorFrame(error: TransportError): WireError {
  return {
    code: codeNumber(error.code),
    reason: reasonNumber(error.reason),
    text: truncateText(error.message),
    metadata: metadataOf(error),
  };
}

/**
 * Returns an error as GO_AWAY carries it.
 * @param text the text that the peer receives.
 */
export function goAwayFrame(error: TransportError, text = error.message): WireError {
  return {
    code: codeNumber(error.code),
    reason: reasonNumber(error.reason) || ERROR_REASONS.refused.wire,
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
    return encodeMetadata({
      'trunkline-metadata': refusal instanceof Error ? refusal.message : String(refusal),
    });
  }
}
