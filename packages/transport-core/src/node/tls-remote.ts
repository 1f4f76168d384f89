// The other end of one TLS connection: the id that it proved, and whether this end trusts it, now
// and after each `updateTls`; tls-remote.test.ts tests it. mutual-tls.ts creates each TlsRemote
// when a handshake is complete, and calls `reconsider` of those in `live` after each update. Below
// are the connection, which tls-connection.test.ts tests, and the translation of errors, which
// tls-errors.test.ts tests.

import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TransportError } from '@trunkline/transport-core';
import {
  inMs,
  reasonError,
  type StreamConnection,
  type StreamSink,
  socketError,
} from '@trunkline/transport-core/backend';
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
  /** `MutualTls.live`: contains this object until its connection or the trust in it ends. */
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

  /**
   * The reason why this end refuses the peer; undefined if it does not. It does not change anymore
   * once `watch` was called.
   */
  get refused(): TransportError | undefined {
    return this.#refused;
  }

  /**
   * Calls `revoked` once, when this end no longer trusts the peer, until `release` is called; never
   * if the peer is refused already.
   */
  watch(revoked: (error: TransportError) => void): void {
    this.#revoked = revoked;
  }

  /** Stops watching after the connection has ended. */
  release(): void {
    this.#live.delete(this);
    this.#revoked = undefined;
  }

  /**
   * Judges the peer again, by its id alone, after an update: the lists have changed, or `ca` was
   * given or removed. A certificate that was accepted in the handshake is not checked again.
   */
  reconsider(trust: Trust): void {
    const error = this.#judge(trust);
    if (error === undefined) return;
    this.#live.delete(this);
    // Without a watcher, the connection was not handed over yet: a WebSocket waits for its upgrade.
    if (this.#revoked === undefined) this.#refused = error;
    else this.#revoked(error);
  }

  /**
   * Judges the peer by its id alone; `deny` takes precedence over `allow`. A peer without a
   * certificate passes here; the constructor refuses it. Both ends can read the text of the error.
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

/** Matches the end of a text of `certificateFlaw`: the code of a certificate not valid now. */
const EXPIRED = /\((CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)\)$/;

const FLAWS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired; issue a new one',
  CERT_NOT_YET_VALID: 'it is not valid yet; check the clocks',
  CERT_REVOKED: 'its authority revoked it',
  CERT_SIGNATURE_FAILURE: 'its signature is not that of its authority',
  INVALID_PURPOSE: 'it is not meant for this use: it needs both serverAuth and clientAuth',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
};

// A connection after its TLS handshake: provides the facts that a StreamConnection reports, and
// ends it when trust is withdrawn.

/** A connection whose TLS handshake is complete. */
export class TlsConnection {
  readonly socket: TLSSocket;
  readonly #raw: Socket;
  readonly #peer: TlsRemote;

  constructor(socket: TLSSocket, raw: Socket, peer: TlsRemote) {
    this.socket = socket;
    this.#raw = raw;
    this.#peer = peer;
  }

  /** The node id that the other end proved; undefined if it showed no certificate. */
  get nodeId(): string | undefined {
    return this.#peer.nodeId;
  }

  /** The reason why this end refuses the other end; undefined if it does not. See `TlsRemote`. */
  get refused(): TransportError | undefined {
    return this.#peer.refused;
  }

  /**
   * A value that only the two ends of this connection know: tls-exporter (RFC 9266), 32 bytes.
   * It is undefined after the end of the connection.
   */
  get binding(): Uint8Array | undefined {
    if (this.socket.destroyed) return undefined;
    return Uint8Array.from(
      this.socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    );
  }

  /**
   * Attaches the connection's sink, which is called if trust in the other end is withdrawn. If the
   * sink has no `revoked`, the connection is destroyed instead.
   */
  attach(connection: StreamConnection, sink: StreamSink): void {
    this.#peer.watch((error) => {
      if (sink.revoked === undefined) connection.destroy(error);
      else sink.revoked(error);
    });
  }

  /**
   * Aborts the connection with RST, because the other end cannot distinguish a plain FIN from a
   * normal end of the TLS connection.
   */
  reset(): void {
    cutOff(this.#raw);
  }

  /** Stops watching the trust in the other end. Call it when the connection has ended. */
  release(): void {
    this.#peer.release();
  }
}

/**
 * Ends a TCP socket immediately with RST, even if it carries TLS; pass the raw socket, because a
 * TLSSocket has no reset of its own. Any other socket is simply closed.
 */
export function cutOff(raw: Socket): void {
  if (raw.destroyed) return;
  try {
    raw.resetAndDestroy();
  } catch {
    // Only TCP has a reset; this is a pipe.
    raw.destroy();
  }
}

// Translates the errors of node:tls, before the handshake is complete and after.

/** Returns the error of a dial that failed in its TLS handshake. */
export function tlsDialError(error: Error & { code?: string }, address: string): TransportError {
  const { as, text, origin } = meaning(error);
  if (as === undefined) return socketError(error, 'dial', address);
  return reasonError(as, `Cannot connect to ${address}: ${text}`, {
    target: address,
    sent: false,
    cause: error,
    origin,
  });
}

/**
 * Returns the error of an accepted connection that failed in its TLS handshake. Without `error`,
 * the connection has simply ended.
 */
export function tlsAcceptError(
  error: (Error & { code?: string }) | undefined,
  endpoint: string,
): TransportError {
  const {
    as = 'reset',
    text,
    origin,
  } = meaning(error ?? Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' }));
  return reasonError(as, `Connection with ${endpoint}: ${text}`, {
    target: endpoint,
    cause: error,
    origin,
  });
}

/**
 * Returns the error of a connection whose handshake was complete from this end's point of view. The
 * other end may still have refused this end's certificate, because the acceptor judges a dialer's
 * certificate after the dialer's last handshake message.
 */
export function tlsConnectionError(
  error: Error & { code?: string },
  endpoint: string,
): TransportError {
  const code = codeOf(error);
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_'))
    return socketError(error, 'connection', endpoint);
  if (OF_CERTIFICATES.test(code)) {
    const text = `Connection with ${endpoint}: the other end refused this end's certificate in the TLS handshake (${code})`;
    return reasonError('bad_certificate', text, {
      target: endpoint,
      cause: error,
      origin: 'remote',
    });
  }
  return reasonError(
    'reset',
    `Connection with ${endpoint}: received data was altered on the way, so TLS ended the connection (${code})`,
    { target: endpoint, cause: error },
  );
}

/**
 * Alerts with which the other end refuses a certificate (RFC 8446 §6.2): those about the
 * certificate or the chain behind it, and general ones that are taken for such a refusal, too.
 */
const OF_CERTIFICATES =
  /_ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|ILLEGAL_PARAMETER)$/;

interface TlsErrorMeaning {
  as: 'wrong_preamble' | 'bad_certificate' | 'reset' | undefined;
  text: string;
  origin?: 'remote';
}

function meaning(error: Error & { code?: string }): TlsErrorMeaning {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return {
      as: 'reset',
      text: `the other end closed the connection during the TLS handshake; check that it uses TLS (option 'tls') and that its limits.handshakes is not reached (${code})`,
    };
  }
  if (NO_TLS.test(code))
    return {
      as: 'wrong_preamble',
      text: `the other end does not speak TLS: give both the same 'tls' (${code})`,
    };
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|UNSUPPORTED_VERSION/.test(code))
    return { as: 'wrong_preamble', text: `the other end does not speak TLS 1.3 (${code})` };
  if (OF_CERTIFICATES.test(code))
    return {
      as: 'bad_certificate',
      text: `the other end refused this end's certificate in the TLS handshake (${code})`,
      origin: 'remote',
    };
  if (/_ALERT_/.test(code))
    return {
      as: 'bad_certificate',
      text: `the other end refused the TLS handshake (${code})`,
      origin: 'remote',
    };
  if (
    code.startsWith('ERR_SSL_') ||
    code.startsWith('ERR_TLS_') ||
    code === 'ERR_OSSL_EVP_UNSUPPORTED'
  ) {
    return { as: 'bad_certificate', text: `the TLS handshake failed (${code})` };
  }
  return { as: undefined, text: error.message };
}

/**
 * Returns the code of a TLS error. An error during a write has only the code EPROTO; its code is
 * then derived from OpenSSL's text, as Node does for reads.
 */
function codeOf({ code = '', message }: Error & { code?: string }): string {
  const words = code === 'EPROTO' ? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined;
  return words === undefined ? code : `ERR_SSL_${words.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
}

/** Codes that OpenSSL reports when the first bytes are not a TLS record. */
const NO_TLS =
  /WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE|UNEXPECTED_MESSAGE$|RECORD_LAYER_FAILURE/;

/** Returns the error of a connection that took too long for its handshake. */
export function tlsTimeout(endpoint: string, timeout: number): TransportError {
  const text = `Connection with ${endpoint}: its TLS handshake was not complete after ${inMs(timeout)} (handshakeTimeout)`;
  return reasonError('handshake_timeout', text, { target: endpoint });
}

/** Returns the error of a handshake during which `updateTls` replaced this end's authorities. */
export function tlsReplaced(endpoint: string): TransportError {
  const text = `Connection with ${endpoint}: updateTls replaced ca during its TLS handshake`;
  return reasonError('reset', text, { target: endpoint, sent: false });
}

/** Returns the error of a handshake that was in progress when the layer was closed. */
export function tlsClosed(endpoint: string): TransportError {
  const text = `Connection with ${endpoint}: the layer was closed during its TLS handshake`;
  return new TransportError('shutdown', text, { target: endpoint });
}
