// What node:tls reports, as errors of ours: before the handshake is through, and after.

import { reasonError, socketError, TransportError } from '@trunkline/transport-core';

/** A dial that failed in its TLS handshake. */
export function tlsDialError(error: Error & { code?: string }, address: string): TransportError {
  const { as, text, origin } = meaning(error);
  if (as === undefined) return socketError(error, 'dial', address);
  return reasonError(as, `Cannot connect to ${address}: ${text}`, { target: address, sent: false, cause: error, origin });
}

/** An accepted connection that failed in its TLS handshake; without an error it just ended. */
export function tlsAcceptError(error: (Error & { code?: string }) | undefined, endpoint: string): TransportError {
  const { as = 'reset', text, origin } = meaning(error ?? Object.assign(new Error('the connection ended'), { code: 'ECONNRESET' }));
  return reasonError(as, `Connection with ${endpoint}: ${text}`, { target: endpoint, cause: error, origin });
}

/** An error of a connection whose handshake was through, as far as this end could tell: a dialler's certificate is judged after its last word. */
export function tlsConnectionError(error: Error & { code?: string }, endpoint: string): TransportError {
  const code = codeOf(error);
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_')) return socketError(error, 'connection', endpoint);
  if (OF_CERTIFICATES.test(code)) {
    const text = `Connection with ${endpoint}: the other end refused this end's certificate in the TLS handshake (${code})`;
    return reasonError('bad_certificate', text, { target: endpoint, cause: error, origin: 'remote' });
  }
  return reasonError('reset', `Connection with ${endpoint}: what came is not what was sent, and TLS broke off (${code})`, { target: endpoint, cause: error });
}

/** Alerts that tell what the other end finds wrong with a certificate, or with the chain behind it (RFC 8446 §6.2). */
const OF_CERTIFICATES = /_ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|ILLEGAL_PARAMETER)$/;

interface Meaning {
  as: 'wrong_preamble' | 'bad_certificate' | 'reset' | undefined;
  text: string;
  origin?: 'remote';
}

function meaning(error: Error & { code?: string }): Meaning {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return {
      as: 'reset',
      text: `the other end broke off in the TLS handshake: does it speak TLS, with the option 'tls', and has it room (limits.handshakes)? (${code})`,
    };
  }
  if (NO_TLS.test(code)) return { as: 'wrong_preamble', text: `the other end speaks no TLS: give both the same 'tls' (${code})` };
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|UNSUPPORTED_VERSION/.test(code))
    return { as: 'wrong_preamble', text: `the other end speaks no TLS 1.3 (${code})` };
  if (OF_CERTIFICATES.test(code))
    return { as: 'bad_certificate', text: `the other end refused this end's certificate in the TLS handshake (${code})`, origin: 'remote' };
  if (/_ALERT_/.test(code)) return { as: 'bad_certificate', text: `the other end refused in the TLS handshake (${code})`, origin: 'remote' };
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'ERR_OSSL_EVP_UNSUPPORTED') {
    return { as: 'bad_certificate', text: `the TLS handshake failed (${code})` };
  }
  return { as: undefined, text: error.message };
}

/** The code of an error of TLS. One that a write met has none but EPROTO: then it is made of OpenSSL's words, as Node makes those of a read. */
function codeOf({ code = '', message }: Error & { code?: string }): string {
  const words = code === 'EPROTO' ? /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] : undefined;
  return words === undefined ? code : `ERR_SSL_${words.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
}

/** What OpenSSL makes of first bytes that are no TLS record. */
const NO_TLS = /WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY_REQUEST|PACKET_LENGTH_TOO_LONG|BAD_RECORD_TYPE|UNEXPECTED_MESSAGE$|RECORD_LAYER_FAILURE/;

/** A connection that took too long for its handshake. */
export function tlsTimeout(endpoint: string, timeout: number): TransportError {
  return reasonError('handshake_timeout', `Connection with ${endpoint}: its TLS handshake was not through within ${timeout} ms (handshakeTimeout)`, {
    target: endpoint,
  });
}

/** What was under way when the layer was closed. */
export function tlsClosed(endpoint: string): TransportError {
  return new TransportError('shutdown', `Connection with ${endpoint}: the layer was closed in its TLS handshake`, { target: endpoint });
}
