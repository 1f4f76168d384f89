// Cases about peers that speak another protocol: their connections are closed, each is reported to
// the observer once, and other connections are not affected.

import { TransportError } from '@trunkline/transport-core';
import { caught, checked } from '../transport/expect.ts';
import { pattern, utf8 } from '../transport/values.ts';
import { count, STUCK } from './identity-fixture.ts';
import { checkCall, rejections } from './refusals.ts';
import type { Cases } from './suite.ts';

export const foreignProtocolCases: Cases = (define) => {
  // With `isNamed`, the protocol is recognized at once, without waiting for `handshakeTimeout`.
  const first: [what: string, bytes: Uint8Array, isNamed?: boolean][] = [
    ['an HTTP request', utf8('GET / HTTP/1.1\r\nHost: example\r\n\r\n'), true],
    ['plain Trunkline', Uint8Array.of(0x54, 0x52, 0x4b, 0x4c, 4, 0x08, 1, 0x10, 0), true],
    ['random bytes', pattern(512, 12_345)],
    ['zeros', new Uint8Array(64)],
    ['an SSH greeting', utf8('SSH-2.0-OpenSSH_9.6\r\n')],
    ['a TLS alert', Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40)],
    [
      'a TLS record with a length above the limit',
      Uint8Array.of(0x16, 3, 1, 0xff, 0xff, 1, 0, 0xff, 0xfb),
    ],
  ];
  for (const [what, bytes, isNamed] of first) {
    define(
      `a connection that sends ${what} to a secured port is closed in time and reported to the observer, and others continue`,
      async (f, t) => {
        const [node, live, later] = [await f.open(), await f.open(), await f.open()];
        const remote = await checkCall(f, live, node);
        const connection = await f.rawConnection(node);
        connection.write(bytes);
        if (isNamed)
          checked(t, (await f.event(node, 'rejected')).error, {
            code: 'internal',
            reason: 'wrong_preamble',
          });
        await f.driveUntil('the connection is closed', () => connection.over);
        await f.until('the observer reports a rejection', () => rejections(node, 'in').length > 0);
        const { error } = rejections(node, 'in')[0]!;
        t.true(error instanceof TransportError);
        t.true(
          ['wrong_preamble', 'malformed', 'bad_certificate', 'handshake_timeout', 'reset'].includes(
            error.reason ?? '',
          ),
          `${error.reason}: ${error.message}`,
        );
        t.is(rejections(node, 'in').length, 1, 'told once');
        t.is(count(node, 'up'), 1);
        t.false(remote.closed);
        await checkCall(f, live, node);
        await checkCall(f, later, node);
      },
    );
  }

  define(
    "a plain and a secured end fail in time with typed errors, whichever dials, and both report the other's protocol",
    async (f, t) => {
      const [secured, plain] = [await f.open(), await f.openPlain()];
      const { toSecured = (at: string) => at, fromSecured = (at: string) => at } = f.backend.plain;
      const outward = await f.drive(
        caught(t, secured.transport.send(fromSecured(plain.at), 'echo', Uint8Array.of(1))),
      );
      t.true(outward instanceof TransportError && outward.sent === false, String(outward));
      t.log(`a secured end that dialed a plain one: ${String(outward)}`);
      const inward = await f.drive(
        caught(t, plain.transport.send(toSecured(secured.at), 'echo', Uint8Array.of(1))),
      );
      t.true(inward instanceof TransportError && inward.sent === false, String(inward));
      t.log(`a plain end that dialed a secured one: ${String(inward)}`);
      await f.until(
        'the secured end reports both failures',
        () => count(secured, 'dialFailed') === 1 && rejections(secured, 'in').length === 1,
      );
      await f.event(plain, 'dialFailed');
      checked(t, (await f.event(plain, 'rejected')).error, {
        code: 'internal',
        reason: 'wrong_preamble',
      });
      t.is(count(secured, 'up') + count(plain, 'up'), 0);
      t.deepEqual(secured.served, []);
    },
  );

  define(
    'a secured dialer fails in time with a typed error on HTTP, random bytes, silence or an early end',
    async (f, t) => {
      const node = await f.open();
      for (const answer of [
        utf8('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
        pattern(512, 999),
        new Uint8Array(0),
        undefined,
      ]) {
        const at = await f.bareListener(
          () => {},
          (bare, chunk) => {
            if (chunk === undefined || bare.received !== chunk.length) return;
            if (answer === undefined) bare.close();
            else if (answer.length > 0) bare.write(answer);
          },
        );
        const error = await f.drive(
          caught(t, node.transport.send(at, 'echo', Uint8Array.of(STUCK))),
        );
        t.true(error instanceof TransportError, String(error));
        t.is((error as TransportError).sent, false);
        t.is((error as TransportError).target, at);
        t.true((error as TransportError).reason !== undefined, String(error));
      }
      t.is(count(node, 'up'), 0);
    },
  );
};
