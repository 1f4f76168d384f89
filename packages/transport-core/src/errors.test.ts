// Tests of TransportError and of the tables of codes and reasons.

import test from 'ava';
import {
  codeOf,
  ERROR_CODES,
  ERROR_REASONS,
  type ErrorCode,
  type ErrorReason,
  reasonError,
  reasonNumber,
  reasonOf,
  stackless,
  TransportError,
  withDetails,
  withoutStack,
} from './errors.ts';

// The agreed tables, copied by hand: changing either one changes the wire protocol and the public
// interface.
const NAMES =
  'cancelled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss unauthenticated';
const codes: Record<string, number> = { shutdown: 14 };
for (const [i, code] of NAMES.split(' ').entries()) codes[code] = i + 1;

const wireReasons: [number, ErrorCode, ErrorReason][] = [
  [1, 'unavailable', 'idle'],
  [2, 'unavailable', 'closed'],
  [3, 'unavailable', 'disconnected'],
  [4, 'failed_precondition', 'wrong_network'],
  [5, 'failed_precondition', 'wrong_version'],
  [6, 'permission_denied', 'refused'],
  [7, 'failed_precondition', 'self'],
  [8, 'already_exists', 'duplicate'],
  [9, 'resource_exhausted', 'full'],
  [10, 'unauthenticated', 'identity_mismatch'],
  [11, 'permission_denied', 'denied'],
  [12, 'internal', 'malformed'],
  [13, 'resource_exhausted', 'flood'],
  [14, 'resource_exhausted', 'too_large'],
  [15, 'unauthenticated', 'bad_certificate'],
  [16, 'unavailable', 'handshake_timeout'],
  [17, 'failed_precondition', 'channel_mismatch'],
  [18, 'failed_precondition', 'version_mismatch'],
  [19, 'unavailable', 'draining'],
  [20, 'unauthenticated', 'expired_certificate'],
];

const localReasons: [ErrorCode, ErrorReason][] = [
  ['unavailable', 'connection_refused'],
  ['unavailable', 'host_not_found'],
  ['unavailable', 'no_addresses'],
  ['unavailable', 'address_in_use'],
  ['invalid_argument', 'not_advertisable'],
  ['internal', 'wrong_preamble'],
  ['failed_precondition', 'no_shared_protocol'],
  ['unavailable', 'dial_timeout'],
  ['unavailable', 'ping_timeout'],
  ['unavailable', 'reset'],
];

test('the codes are those of gRPC plus shutdown, with their numbers', (t) => {
  t.deepEqual({ ...ERROR_CODES }, codes);
});

test('every code but shutdown comes back from its number', (t) => {
  for (const code of Object.keys(codes) as ErrorCode[])
    t.is(codeOf(ERROR_CODES[code]), code === 'shutdown' ? 'unavailable' : code);
});

test('a number without a code reads as unknown', (t) => {
  for (const number of [0, 17, 255, 0xffff_ffff, -1, 1.5]) t.is(codeOf(number), 'unknown');
});

test('the reasons are a closed table of codes and numbers', (t) => {
  const expected = Object.fromEntries([
    ...wireReasons.map(([wire, code, reason]) => [reason, { wire, code }]),
    ...localReasons.map(([code, reason]) => [reason, { wire: 0, code }]),
  ]);
  t.deepEqual({ ...ERROR_REASONS } as object, expected);
});

test('a reason that is sent comes back from its number, one that is not sent has none', (t) => {
  for (const [wire, , reason] of wireReasons) {
    t.is(reasonNumber(reason), wire);
    t.is(reasonOf(wire), reason);
  }
  for (const [, reason] of localReasons) t.is(reasonNumber(reason), 0);
  for (const number of [0, wireReasons.length + 1, 0xffff_ffff]) t.is(reasonOf(number), undefined);
  t.is(reasonNumber(undefined), 0);
});

test('reasonError has the code of its reason', (t) => {
  for (const [reason, { code }] of Object.entries(ERROR_REASONS)) {
    const error = reasonError(reason as ErrorReason, 'why', { target: 'a:1' });
    t.like(error, { code, reason: reason as ErrorReason, target: 'a:1' });
  }
});

test('an error has the given fields, and is local by default', (t) => {
  const cause = new Error('deeper');
  const told = { reason: 'reset', target: 'a:1', sent: false, origin: 'remote' } as const;
  const metadata = { leader: 'b' };
  const error = new TransportError('aborted', 'it broke', { ...told, metadata, cause });
  t.like(error, { code: 'aborted', message: 'it broke', name: 'TransportError', ...told });
  t.deepEqual(error.metadata, metadata);
  t.is(error.cause, cause);
  t.true(error instanceof Error);
  t.regex(String(error.stack), /errors\.test/);
  const plain = new TransportError('aborted', 'x');
  t.like(plain, { origin: 'local', sent: undefined });
  t.false('cause' in plain);
});

test('a code or a reason outside the tables throws a TypeError that lists the valid ones', (t) => {
  for (const wrong of ['OK', 'toString', '__proto__', '']) {
    t.throws(() => new TransportError(wrong as ErrorCode, 'x'), {
      instanceOf: TypeError,
      message: /codes are cancelled, unknown/,
    });
    t.throws(() => new TransportError('aborted', 'x', { reason: wrong as ErrorReason }), {
      instanceOf: TypeError,
      message: /reasons are idle, closed/,
    });
  }
});

test('an error of a second copy of this package is a TransportError, and nothing else is', (t) => {
  class Copy extends Error {}
  Object.defineProperty(Copy.prototype, Symbol.for('trunkline.TransportError'), { value: true });
  t.true(new Copy() instanceof TransportError);
  for (const other of [
    new Error('x'),
    {},
    null,
    undefined,
    'TransportError',
    { name: 'TransportError', code: 'aborted' },
  ])
    t.false((other as object) instanceof TransportError);
});

test('withDetails returns another error with the same failure', (t) => {
  const cause = new Error('deeper');
  const told = { reason: 'reset', origin: 'remote', metadata: { a: 'b' } } as const;
  const shared = new TransportError('unavailable', 'lost', { ...told, sent: true, cause });
  const own = withDetails(shared, { target: 'a:1', sent: false });
  t.not(own, shared);
  t.like(own, { code: 'unavailable', message: 'lost', ...told, target: 'a:1', sent: false });
  t.deepEqual([own.metadata, own.cause], [{ a: 'b' }, cause]);
  t.is(shared.target, undefined);
  t.is(withDetails(shared, {}).sent, true);
  t.is(withDetails(shared, { sent: undefined }).sent, true);
});

test('an error without a stack trace is otherwise like any other, and other errors keep theirs', (t) => {
  const told = { reason: 'reset', sent: false } as const;
  const error = stackless('unavailable', 'lost', told);
  t.true(error instanceof TransportError);
  t.like(error, { code: 'unavailable', message: 'lost', ...told, origin: 'local' });
  t.false(/\n\s+at /.test(error.stack ?? ''), error.stack);
  t.regex(new TransportError('unavailable', 'lost').stack ?? '', /\n\s+at /);
  const copy = withoutStack(new TransportError('aborted', 'lost', { sent: true }), {
    target: 'a:1',
  });
  t.deepEqual([copy.code, copy.target, copy.sent], ['aborted', 'a:1', true]);
  t.false(/\n\s+at /.test(copy.stack ?? ''), copy.stack);
  t.throws(() => stackless('OK' as ErrorCode, 'x'), { instanceOf: TypeError });
  t.regex(
    new TransportError('unavailable', 'lost').stack ?? '',
    /\n\s+at /,
    'even after one that could not be created',
  );
});
