// Reads and changes the few lines of an SDP that matter to a data channel.

import { TransportError } from '@trunkline/transport-core';

/**
 * Returns the fingerprint of the certificate that an SDP announces, in upper case. Throws
 * `internal` if there is not exactly one (equal ones count once), or if it is malformed or not of
 * SHA-256. Libraries differ in which one they check if there are several, and in which malformed
 * ones they accept.
 */
export function fingerprintOf(sdp: string): string {
  const found = new Set(
    [...sdp.matchAll(/^a=fingerprint\b([^\r\n]*)/gim)].map(([, value]) => value!.toUpperCase()),
  );
  const [fingerprint] = found;
  if (found.size === 1 && /^:SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(fingerprint!))
    return fingerprint!.slice(1);
  throw new TransportError(
    'internal',
    `the description has ${found.size} fingerprints, but needs one valid SHA-256 fingerprint`,
    { reason: 'malformed' },
  );
}

/**
 * Returns the maximum size, in bytes, of a message that the sender of this SDP accepts (RFC 8841:
 * 64 KiB if the SDP doesn't state a size, unlimited if the size is 0).
 */
export function maxMessageOf(sdp: string): number {
  const size = /^a=max-message-size:(\d{1,15})\s*$/m.exec(sdp)?.[1];
  return size === undefined ? 65_536 : Number(size) || Number.POSITIVE_INFINITY;
}

/** Returns the candidates in an SDP. */
export function candidatesOf(sdp: string): { readonly candidate: string }[] {
  return [...sdp.matchAll(/^a=(candidate:[^\r\n]*)/gm)].map(([, candidate]) => ({
    candidate: candidate!,
  }));
}

/** Returns an SDP without its candidates, which are sent one by one. */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=(?:candidate:|end-of-candidates)[^\r\n]*\r?\n/gm, '');
}
