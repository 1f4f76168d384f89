// Translates the errors of node:tls, before the handshake is complete and after.

import { TransportError } from '@trunkline/transport-core';
import { inMs, reasonError, socketError } from '@trunkline/transport-core/backend';

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

/** Alerts of the other end about a certificate, or about the chain behind it (RFC 8446 §6.2). */
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
  return reasonError(
    'handshake_timeout',
    `Connection with ${endpoint}: its TLS handshake was not complete after ${inMs(timeout)} (handshakeTimeout)`,
    {
      target: endpoint,
    },
  );
}

/** Returns the error of a handshake that was in progress when the layer was closed. */
export function tlsClosed(endpoint: string): TransportError {
  return new TransportError(
    'shutdown',
    `Connection with ${endpoint}: the layer was closed during its TLS handshake`,
    { target: endpoint },
  );
}
