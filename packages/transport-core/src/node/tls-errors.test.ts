// Tests of the translation of TLS errors.

import test from 'ava';
import { tlsAcceptError, tlsConnectionError, tlsDialError } from './tls-remote.ts';

const failure = (code: string) => Object.assign(new Error('the system says so'), { code });

test('a failed handshake is reported with its meaning at both ends', (t) => {
  const [PREAMBLE, CERTIFICATE] = [
    ['internal', 'wrong_preamble'],
    ['unauthenticated', 'bad_certificate'],
  ] as const;
  const rows: [string, string, string | undefined, RegExp][] = [
    ['ECONNRESET', 'unavailable', 'reset', /check that it uses TLS \(option 'tls'\)/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', ...PREAMBLE, /does not speak TLS: give both the same 'tls'/],
    ['ERR_SSL_HTTP_REQUEST', ...PREAMBLE, /does not speak TLS/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', ...PREAMBLE, /does not speak TLS 1\.3/],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', ...PREAMBLE, /does not speak TLS 1\.3/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', ...CERTIFICATE, /the other end refused/],
    ['ERR_SSL_EXCESSIVE_MESSAGE_SIZE', ...CERTIFICATE, /the TLS handshake failed/],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', ...CERTIFICATE, /the TLS handshake failed/],
  ];
  for (const [code, as, reason, message] of rows) {
    for (const error of [
      tlsDialError(failure(code), 'host:7'),
      tlsAcceptError(failure(code), 'host:7'),
    ]) {
      t.is(error.code, as as never, code);
      t.is(error.reason, reason as never, code);
      t.regex(error.message, message);
      t.true(error.message.includes('host:7') && error.message.includes(code), error.message);
      t.is(error.target, 'host:7');
    }
  }
  t.is(tlsDialError(failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'host:7').origin, 'remote');
  t.is(tlsDialError(failure('ECONNREFUSED'), 'host:7').reason, 'connection_refused');
});

test('after the handshake a broken record is reported as a reset, and a socket error as itself', (t) => {
  t.is(
    tlsConnectionError(failure('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC'), 'host:7').reason,
    'reset',
  );
  t.is(tlsConnectionError(failure('EPIPE'), 'host:7').reason, 'reset');
  t.is(tlsConnectionError(failure('ETIMEDOUT'), 'host:7').reason, 'reset');
});
