// Tests of the translation of socket errors.

import test from 'ava';
import { socketError } from './stream-layer.ts';

function system(code: string): Error {
  return Object.assign(new Error(`${code} somewhere`), { code });
}

test('each code has its meaning and keeps the original error as its cause', (t) => {
  const rows: [string, Parameters<typeof socketError>[1], string, string | undefined][] = [
    ['ECONNREFUSED', 'dial', 'unavailable', 'connection_refused'],
    ['ENOTFOUND', 'dial', 'unavailable', 'host_not_found'],
    ['EAI_AGAIN', 'listen', 'unavailable', 'host_not_found'],
    ['EADDRINUSE', 'listen', 'unavailable', 'address_in_use'],
    ['EADDRNOTAVAIL', 'listen', 'invalid_argument', undefined],
    ['EADDRNOTAVAIL', 'dial', 'unavailable', undefined],
    ['EACCES', 'listen', 'permission_denied', undefined],
    ['EMFILE', 'accept', 'resource_exhausted', undefined],
    ['EHOSTUNREACH', 'dial', 'unavailable', undefined],
    ['ETIMEDOUT', 'dial', 'unavailable', 'dial_timeout'],
    ['ETIMEDOUT', 'connection', 'unavailable', 'reset'],
    ['ECONNRESET', 'connection', 'unavailable', 'reset'],
    ['EPIPE', 'connection', 'unavailable', 'reset'],
    ['EINVAL', 'dial', 'unavailable', undefined],
    ['EAFNOSUPPORT', 'dial', 'unavailable', undefined],
    ['EACCES', 'dial', 'unavailable', undefined],
    ['EPERM', 'dial', 'unavailable', undefined],
    ['EACCES', 'connection', 'unavailable', undefined],
    ['EINVAL', 'listen', 'invalid_argument', undefined],
    ['ENOTSUP', 'listen', 'invalid_argument', undefined],
    ['EWHATEVER', 'dial', 'unavailable', undefined],
  ];
  for (const [code, action, as, reason] of rows) {
    const cause = system(code);
    const error = socketError(cause, action, 'node-1:7000');
    t.is(error.code, as as never, code);
    t.is(error.reason, reason as never, code);
    t.is(error.cause, cause);
    t.is(error.target, 'node-1:7000');
    t.true(error.message.includes('node-1:7000') && error.message.includes(code), error.message);
  }
});

test('of several attempts at one name the first informative error counts', (t) => {
  const error = socketError(
    new AggregateError([new Error('nothing'), system('ECONNREFUSED'), system('ENETUNREACH')]),
    'dial',
    'localhost:1',
  );
  t.is(error.reason, 'connection_refused');
});

test('an error that is not a system error becomes unavailable and keeps its text', (t) => {
  const error = socketError('odd', 'connection', 'x:1');
  t.is(error.code, 'unavailable');
  t.true(error.message.includes('odd'));
});

test('a refusal of the system names its reason', (t) => {
  const text = (code: string) => socketError(system(code), 'dial', '[fe80::1%eth7]:1').message;
  t.regex(text('EINVAL'), /\[fe80::1%eth7\]:1: .*link-local.*interface of this machine.*EINVAL/);
  t.regex(text('EACCES'), /a firewall or a route of this machine forbids it.*EACCES/);
});
