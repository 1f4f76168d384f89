// The other end of one TLS connection: the id that it proved, and whether this end trusts it, now
// and after changes to the lists.

import type { TLSSocket } from 'node:tls';
import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { keyWeakness, nodeIdOfCertificate } from './credentials.ts';

/** The nodes that this end trusts at the moment. */
export interface Trust {
  /** This node's own id: a node may call itself. */
  readonly self: string;
  readonly hasAuthority: boolean;
  readonly allow: ReadonlySet<string> | undefined;
  readonly deny: ReadonlySet<string>;
}

/** The other end of a connection whose TLS handshake is complete. */
export class TlsRemote {
  /** The node id of the peer's key; undefined if the peer showed no certificate. */
  readonly nodeId: string | undefined;
  #refused: TransportError | undefined;
  /** The id of the node that this end wanted to dial. */
  readonly #expected: string | undefined;
  readonly #live: Set<TlsRemote>;
  #revoked: ((error: TransportError) => void) | undefined;

  constructor(socket: TLSSocket, expected: string | undefined, trust: Trust, live: Set<TlsRemote>) {
    const certificate = socket.getPeerX509Certificate();
    this.nodeId = certificate === undefined ? undefined : nodeIdOfCertificate(certificate);
    this.#expected = expected;
    this.#live = live;
    const weakness = certificate === undefined ? 'it presented none' : keyWeakness(certificate);
    const flaw = weakness ?? certificateFlaw(socket, trust.hasAuthority);
    const reason = EXPIRED.test(flaw ?? '') ? 'expired_certificate' : 'bad_certificate';
    this.#refused =
      this.#judge(trust) ??
      (flaw === undefined
        ? undefined
        : reasonError(reason, `its certificate was refused: ${flaw}`));
    if (this.#refused === undefined) live.add(this);
  }

  /** The reason why this end refuses the peer; undefined if it does not. */
  get refused(): TransportError | undefined {
    return this.#refused;
  }

  /** Calls `revoked` when this end no longer trusts the peer, until `release` is called. */
  watch(revoked: (error: TransportError) => void): void {
    this.#revoked = revoked;
  }

  /** Stops watching after the connection has ended. */
  release(): void {
    this.#live.delete(this);
    this.#revoked = undefined;
  }

  /** Judges the peer again after the lists have changed. */
  reconsider(trust: Trust): void {
    const error = this.#judge(trust);
    if (error === undefined) return;
    this.#live.delete(this);
    // Without a watcher, the connection was not handed over yet: a WebSocket waits for its upgrade.
    if (this.#revoked === undefined) this.#refused = error;
    else this.#revoked(error);
  }

  /**
   * Judges the peer by its id alone; `deny` takes precedence over `allow`. Both ends can read the
   * text of the error.
   */
  #judge({ self, hasAuthority, allow, deny }: Trust): TransportError | undefined {
    const id = this.nodeId;
    if (id === undefined) return undefined;
    if (deny.has(id)) return reasonError('denied', `node ${id} is denied (tls.deny)`);
    if (allow?.has(id) || id === self) return undefined;
    if (allow !== undefined)
      return reasonError(
        'denied',
        `node ${id} is not allowed (tls.allow has ${allow.size} others)`,
      );
    if (hasAuthority || id === this.#expected) return undefined;
    return reasonError(
      'denied',
      `node ${id} is not trusted: give tls.ca, add the id to tls.allow, or dial the node by its id (${id.slice(0, 8)}…@host:port)`,
    );
  }
}

/**
 * Returns the problem that OpenSSL found with the certificate. Without a configured authority, a
 * certificate that no authority signed is not a problem.
 */
function certificateFlaw(socket: TLSSocket, hasAuthority: boolean): string | undefined {
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  if (!hasAuthority && UNSIGNED.has(code)) return undefined;
  return `${FLAWS[code] ?? (UNSIGNED.has(code) ? 'no authority in tls.ca signed it' : 'it does not hold')} (${code})`;
}

/** OpenSSL's codes for certificates that no known authority vouches for. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Matches OpenSSL's codes for certificates that are not valid at this time. */
const EXPIRED = /\((CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)\)$/;

const FLAWS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired; issue a new one',
  CERT_NOT_YET_VALID: 'it is not valid yet; check the clocks',
  CERT_REVOKED: 'its authority revoked it',
  CERT_SIGNATURE_FAILURE: 'its signature is not that of its authority',
  INVALID_PURPOSE: 'it is not meant for this use: it needs both serverAuth and clientAuth',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
};
