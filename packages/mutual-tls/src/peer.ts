// Who is at the other end of one TLS connection: what it proved, and whether this end wants it, now and later.

import type { TLSSocket } from 'node:tls';
import { reasonError, type TransportError } from '@trunkline/transport-core';
import { keyWeakness, nodeIdOf } from './credentials.ts';

/** Whom an end trusts, at this moment. */
export interface Trust {
  /** Its own id: a node may call itself. */
  readonly self: string;
  readonly hasAuthority: boolean;
  readonly allow: ReadonlySet<string> | undefined;
  readonly deny: ReadonlySet<string>;
}

/** The other end of a connection whose TLS handshake is over. */
export class Peer {
  /** What its key makes of it; undefined where it showed no certificate. */
  readonly nodeId: string | undefined;
  /** Why this end does not want it. */
  readonly refused: TransportError | undefined;
  /** Whom this end meant to dial. */
  readonly #expected: string | undefined;
  readonly #live: Set<Peer>;
  #revoked: ((error: TransportError) => void) | undefined;

  constructor(socket: TLSSocket, expected: string | undefined, trust: Trust, live: Set<Peer>) {
    const certificate = socket.getPeerX509Certificate();
    this.nodeId = certificate === undefined ? undefined : nodeIdOf(certificate);
    this.#expected = expected;
    this.#live = live;
    const weakness = certificate === undefined ? 'it showed none' : keyWeakness(certificate);
    const flaw = weakness ?? certificateFlaw(socket, trust.hasAuthority);
    this.refused = this.#judge(trust) ?? (flaw === undefined ? undefined : reasonError('bad_certificate', `its certificate is refused: ${flaw}`));
    if (this.refused === undefined) live.add(this);
  }

  /** `revoked` is called where this end wants the peer no more; until `release`. */
  watch(revoked: (error: TransportError) => void): void {
    this.#revoked = revoked;
  }

  /** The connection is over. */
  release(): void {
    this.#live.delete(this);
    this.#revoked = undefined;
  }

  /** The lists have changed. */
  reconsider(trust: Trust): void {
    const error = this.#judge(trust);
    if (error === undefined) return;
    this.#live.delete(this);
    this.#revoked?.(error);
  }

  /** By its id alone: `deny` before `allow`. The text is read at both ends. */
  #judge({ self, hasAuthority, allow, deny }: Trust): TransportError | undefined {
    const id = this.nodeId;
    if (id === undefined) return undefined;
    if (deny.has(id)) return reasonError('denied', `node ${id} is denied (tls.deny)`);
    if (allow?.has(id) || id === self) return undefined;
    if (!hasAuthority && id === this.#expected) return undefined;
    if (allow !== undefined) return reasonError('denied', `node ${id} is not allowed (tls.allow has ${allow.size} others)`);
    if (hasAuthority) return undefined;
    return reasonError('denied', `node ${id} is trusted by nothing: give tls.ca, put it into tls.allow, or dial it by its id (${id.slice(0, 8)}…@host:port)`);
  }
}

/** What OpenSSL found against the certificate; without an authority of ours that none of ours signed it is no flaw. */
function certificateFlaw(socket: TLSSocket, hasAuthority: boolean): string | undefined {
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  if (!hasAuthority && UNSIGNED.has(code)) return undefined;
  return `${FLAWS[code] ?? (UNSIGNED.has(code) ? 'no authority of tls.ca signed it' : 'it does not hold')} (${code})`;
}

/** Nobody that this end knows vouches for it. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const FLAWS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired; issue a new one',
  CERT_NOT_YET_VALID: 'it is not valid yet; is a clock wrong?',
  CERT_REVOKED: 'its authority revoked it',
  CERT_SIGNATURE_FAILURE: 'its signature is not that of its authority',
  INVALID_PURPOSE: 'it is not made for this: it needs both serverAuth and clientAuth',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
};
