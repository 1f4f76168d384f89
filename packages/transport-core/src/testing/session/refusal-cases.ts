// Cases of docs/wire-protocol.md §3 and §8: peers that are refused in the hello, with a GO_AWAY
// instead of the next step.

import { type ErrorCode, type ErrorReason, TransportError } from '@trunkline/transport-core';
import type { TestContext } from '@trunkline/transport-testkit';
import {
  RAW_PREAMBLE,
  type RawFrame,
  type RawHello,
  rawHello,
} from '@trunkline/transport-testkit/internal';
import { failure, gets, has, type Suite } from './checks.ts';
import { type FixtureOptions, type Role, sends } from './session-fixture.ts';

const throwing = (error: Error) => () => {
  throw error;
};

export function refusalCases({ test, it, open, connect }: Suite): void {
  /**
   * Sends a hello that the transport must refuse. Returns the transport's GO_AWAY, which must be
   * its last frame, and the error on the transport's own side.
   */
  const refused = async (
    t: TestContext,
    role: Role,
    hello: Partial<RawHello>,
    options: FixtureOptions = {},
  ): Promise<{ bye: RawFrame; error: TransportError }> => {
    const on = await open(t, options);
    if (role === 'acceptor') {
      const peer = await on.dialIn();
      peer.begin({ kind: 'HELLO', hello: rawHello(hello) });
      const bye = await peer.next('GO_AWAY');
      await peer.expectClosed();
      t.deepEqual(peer.log, [bye], 'the refusal is sent instead of the HELLO');
      const { error } = await on.seen.first('rejected');
      t.is(error.origin, 'local');
      return { bye, error };
    }
    const { sent, peer } = await sends(on);
    await peer.next('HELLO');
    peer.begin({ kind: 'HELLO', hello: rawHello(hello) });
    const bye = await peer.next('GO_AWAY');
    const error = await failure(t, sent, { sent: false });
    await peer.expectClosed();
    t.is(peer.log.at(-1), bye);
    t.is(peer.count('READY') + peer.count('REQUEST'), 0);
    return { bye, error };
  };

  const refuses = (
    title: string,
    hello: Partial<RawHello>,
    expected: [code: number, reason: number, text: RegExp],
    options: FixtureOptions = {},
  ) =>
    it(`refusals: ${title}`, async (t, _up, role) => {
      const { bye, error } = await refused(t, role, hello, options);
      has(t, bye, { code: expected[0], reason: expected[1] });
      t.regex(bye.text, expected[2]);
      t.regex(error.message, expected[2]);
    });

  refuses(
    'a peer of another network is refused with failed_precondition/wrong_network, and the text names both networks',
    { network: 'other' },
    [9, 4, /(?=.*mine)(?=.*other)/],
    {
      network: 'mine',
      admit: throwing(new Error('asked too early')),
    },
  );
  refuses(
    'a peer without a common wire version is refused with failed_precondition/wrong_version, and the text names both ranges',
    { wireMin: 2, wireMax: 7 },
    [9, 5, /(?=.*1)(?=.*2)/],
  );
  refuses(
    'if `admit` throws an Error, the peer is refused with permission_denied/refused and the message of the error',
    {},
    [7, 6, /not today/],
    { admit: throwing(new Error('not today')) },
  );
  refuses(
    'if `admit` rejects with a TransportError, the peer is refused with its code',
    {},
    [16, 6, /no token/],
    { admit: () => Promise.reject(new TransportError('unauthenticated', 'no token')) },
  );
  refuses(
    'if the `then` of what `admit` returns throws, the peer is refused with permission_denied/refused',
    {},
    [7, 6, /no promise/],
    { admit: () => ({ then: throwing(new Error('no promise')) }) },
  );
  const malformed: [what: string, hello: Partial<RawHello>, text: RegExp][] = [
    ['an instance that is not 16 bytes long', { instance: new Uint8Array(15) }, /instance/],
    ['a hello over 16 KiB', { agent: 'x'.repeat(17 * 1024) }, /hello/],
    ['a packet size below 4 KiB', { limits: { packet: 4_095 } }, /packet/],
  ];
  for (const [what, hello, text] of malformed)
    refuses(`${what} is refused with internal/malformed`, hello, [13, 12, text]);

  test('refusals: an acceptor that names another wire version than ours is refused', async (t) => {
    const { bye } = await refused(t, 'dialer', { wireMin: 3, wireMax: 3 });
    t.is(bye.reason, 5);
  });

  test('refusals: an acceptor that answers a range of wire versions is refused with internal/malformed', async (t) => {
    const { bye, error } = await refused(t, 'dialer', { wireMin: 1, wireMax: 4 });
    has(t, bye, { code: 13, reason: 12 });
    t.regex(bye.text, /1 to 4/);
    t.is(error.reason, 'malformed');
  });

  test('refusals: one connection more than `connections` is refused with resource_exhausted/full, and the others stay', async (t) => {
    const s = await connect(t, 'acceptor', { options: { limits: { connections: 1 } } });
    const second = await s.dialIn();
    second.begin({ kind: 'HELLO', hello: rawHello() });
    await gets(t, second, 'GO_AWAY', { code: 8, reason: 9 });
    await second.expectClosed();
    t.is(second.count('HELLO'), 0);
    await s.peer.barrier();
    s.peer.destroy();
    await s.seen.first('down');
    const third = await s.dialIn();
    await third.handshake();
    await third.barrier();
  });

  test('refusals: a dialed id that nobody proves fails with unauthenticated before any application data is sent', async (t) => {
    const on = await open(t);
    const listener = await on.listen();
    const sent = on.transport.send(
      `${'ab'.repeat(32)}@${listener.address}`,
      'echo',
      Uint8Array.of(1),
    );
    const peer = await listener.next();
    t.deepEqual(await peer.preamble(), RAW_PREAMBLE);
    peer.begin({ kind: 'HELLO', hello: rawHello({ nodeId: 'ab'.repeat(32) }) });
    await gets(t, peer, 'GO_AWAY', { code: 16, reason: 10 });
    await failure(t, sent, { code: 'unauthenticated', reason: 'identity_mismatch', sent: false });
    await peer.expectClosed();
    t.is(peer.count('READY') + peer.count('REQUEST'), 0);
  });

  const reasons: [number, number, ErrorCode, ErrorReason | undefined][] = [
    [9, 4, 'failed_precondition', 'wrong_network'],
    [8, 9, 'resource_exhausted', 'full'],
    [16, 15, 'unauthenticated', 'bad_certificate'],
    [16, 0, 'unauthenticated', undefined],
    [99, 99, 'unknown', undefined],
  ];
  for (const [code, reason, name, reasonName] of reasons) {
    test(`refusals: a peer that refuses with ${code}/${reason} fails the dial and its calls with ${name}/${reasonName} and sent: false`, async (t) => {
      const on = await open(t);
      const listener = await on.listen();
      const dialed = on.transport.dial(listener.address);
      const sent = on.transport.send(listener.address, 'echo', Uint8Array.of(1));
      const peer = await listener.next();
      await peer.next('HELLO');
      peer.begin({ kind: 'GO_AWAY', code, reason, text: 'we do not want you' });
      for (const promise of [dialed, sent]) {
        const error = await failure(t, promise, {
          code: name,
          reason: reasonName,
          origin: 'remote',
        });
        t.regex(error.message, /we do not want you/);
      }
      await failure(t, sent, { sent: false });
      await peer.expectClosed();
      t.is(listener.peers.length, 1, 'the call is not tried again');
    });
  }

  test('refusals: a dialer that refuses instead of sending READY is reported to the observer', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.begin({ kind: 'HELLO', hello: rawHello() });
    await peer.next('HELLO');
    peer.send({ kind: 'GO_AWAY', code: 9, reason: 7, text: 'it is me' });
    const { error } = await on.seen.first('rejected');
    has(t, error, { code: 'failed_precondition', reason: 'self', origin: 'remote' });
    await peer.expectClosed();
  });
}
