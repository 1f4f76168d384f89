// Cases of docs/wire-protocol.md §3: the frames that may arrive before a connection is up, and the
// time that the hello may take.

import type { TestContext } from '@trunkline/transport-testkit';
import { type RawFrameInput, type RawPeer, rawHello } from '@trunkline/transport-testkit/internal';
import { failure, gets, has, type Suite, violation } from './checks.ts';
import { hint, request } from './frames.ts';
import { met, sends, turn } from './session-fixture.ts';

export function earlyCases({ test, open, connect, violates }: Suite): void {
  const early: [string, () => RawFrameInput][] = [
    ['READY', () => ({ kind: 'READY' })],
    ['PING', () => ({ kind: 'PING', id: 1 })],
    ['PONG', () => ({ kind: 'PONG', id: 1 })],
    ['CREDIT', () => ({ kind: 'CREDIT', account: 1, credit: 1 })],
    ['PROTOCOLS', () => ({ kind: 'PROTOCOLS', hello: { protocols: [] } })],
    ['REQUEST', () => request(1)],
    ['ONEWAY', () => hint()],
    ['RESPONSE', () => ({ kind: 'RESPONSE', id: 2 })],
    ['CANCEL', () => ({ kind: 'CANCEL', id: 1 })],
    ['a frame of an unknown kind', () => ({ kind: 40 })],
  ];
  for (const [where, role, isFirst] of [
    ["before the dialer's HELLO", 'acceptor', true],
    ["instead of the acceptor's HELLO", 'dialer', true],
    ["between the dialer's HELLO and the acceptor's", 'acceptor', false],
    ["after the acceptor's HELLO, before READY,", 'dialer', false],
  ] as const)
    for (const [what, frame] of early)
      test(`early: ${what} ${where} is a violation`, async (t) => {
        const on = await open(t, isFirst ? {} : { admit: () => new Promise(() => {}) });
        const { peer, dialed } = await met(on, role);
        if (role === 'dialer') await peer.next('HELLO');
        if (isFirst) peer.begin(frame(), hello());
        else peer.begin(hello(), frame());
        await violation(t, peer);
        if (role === 'dialer') t.is((await failure(t, dialed)).reason, 'malformed');
        t.is(peer.count(role === 'dialer' ? 'READY' : 'HELLO'), 0);
      });

  test('early: a call between the two hellos and READY is a violation', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.begin(hello());
    await peer.next('HELLO');
    peer.send(request(1), { kind: 'READY' });
    await violation(t, peer);
    t.deepEqual(on.transport.remotes(), []);
  });

  test('early: a second HELLO before READY is a violation', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.begin(hello());
    await peer.next('HELLO');
    peer.send(hello());
    await violation(t, peer);
  });

  violates('early: a HELLO on a connection that is up', ({ peer }) => peer.send(hello()));
  violates('early: a READY on a connection that is up', ({ peer }) => peer.send({ kind: 'READY' }));

  for (const what of ['sends only its preamble', 'never sends READY'])
    test(`early: a dialer that ${what} is disconnected after 5 s`, async (t) => {
      const on = await open(t);
      const peer = await on.dialIn();
      peer.begin(...(what === 'never sends READY' ? [hello()] : []));
      await (what === 'never sends READY' ? peer.next('HELLO') : peer.preamble());
      on.clock.advance(4_900);
      t.deepEqual(on.seen.events, []);
      on.clock.advance(101);
      const { error } = await on.seen.first('rejected');
      has(t, error, { code: 'unavailable', reason: 'handshake_timeout' });
      await farewell(t, peer);
    });

  test('early: a dialer that sends nothing at all is disconnected after 5 s', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    await on.until(cutOff(t, peer), 25);
    t.true(on.clock.now() >= 6_000);
    t.true(on.clock.now() <= 8_000);
    t.is(peer.receivedBytes, 0);
  });

  test('early: a dialer that finishes its handshake just in time is up, and stays connected', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.begin(hello());
    await peer.next('HELLO');
    on.clock.advance(4_900);
    peer.send({ kind: 'READY' });
    await on.seen.first('up');
    await peer.barrier();
    on.clock.advance(4_000);
    await peer.barrier();
    t.false(peer.closed);
  });

  for (const [what, begins] of [
    ['is silent', false],
    ['sends only its preamble', true],
  ] as const) {
    test(`early: a dial whose acceptor ${what} fails after 5 s with unavailable/handshake_timeout`, async (t) => {
      const on = await open(t, { timeout: 60_000 });
      const { sent, peer } = await sends(on);
      await peer.next('HELLO');
      if (begins) {
        peer.begin();
        while (on.transport.snapshot().connections[0]?.bytes.in !== 4) await turn();
      }
      on.clock.advance(5_001);
      await failure(t, sent, { code: 'unavailable', reason: 'handshake_timeout', sent: false });
      if (begins) await farewell(t, peer);
      else await cutOff(t, peer);
    });
  }

  test('early: an `admit` that hangs is ended by the handshake timeout of 5 s', async (t) => {
    const on = await open(t, { admit: () => new Promise(() => {}) });
    const peer = await on.dialIn();
    peer.begin(hello());
    await peer.preamble();
    await on.until(peer.expectClosed());
    t.is((await on.seen.first('rejected')).error.reason, 'handshake_timeout');
    t.is(peer.count('HELLO'), 0);
    await farewell(t, peer);
  });

  test('early: a handshake that hangs delays no other connection', async (t) => {
    const s = await connect(t, 'acceptor');
    const hanging = await s.dialIn();
    hanging.begin();
    await hanging.preamble();
    const next = await s.dialIn();
    await next.handshake();
    next.send(request(1, [5]));
    const rpc = await s.call('echo');
    rpc.respond(rpc.request);
    t.deepEqual((await next.next('RESPONSE')).payload, Uint8Array.of(5));
  });

  test('early: a connection that ends during its hello fails the dial with unavailable and sent: false', async (t) => {
    const on = await open(t, { timeout: 1_000 });
    const { peer, dialed } = await met(on, 'dialer');
    await peer.next('HELLO');
    peer.close();
    await failure(t, dialed, { code: 'unavailable', sent: false });
  });

  test('early: beyond `handshakes.pending`, four times as many connections wait unread, and more are closed', async (t) => {
    let decide = () => {};
    const decision = new Promise<void>((resolve) => (decide = resolve));
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const on = await open(t, {
      limits: { handshakes: { pending: 1 } },
      admit: () => {
        asked();
        return decision;
      },
    });
    const first = await on.dialIn();
    first.begin(hello());
    await isAsked;
    const waiting: RawPeer[] = [];
    for (let n = 1; n < 5; n++) {
      const peer = await on.dialIn();
      peer.begin(hello());
      waiting.push(peer);
    }
    // The connection is closed so soon that even the dial may fail.
    const sixth = await on.dialIn().catch(() => undefined);
    await sixth?.expectClosed();
    t.is(sixth?.receivedBytes ?? 0, 0);
    t.is(waiting[0]?.receivedBytes, 0, 'the second connection waits unread');
    decide();
    await first.next('HELLO');
    for (const peer of waiting) await peer.next('HELLO');
  });
}

const hello = (): RawFrameInput => ({ kind: 'HELLO', hello: rawHello() });

/**
 * Checks a hello that took too long: the peer receives a GO_AWAY with that reason as the last
 * frame, and the connection ends gracefully.
 */
async function farewell(t: TestContext, peer: RawPeer): Promise<void> {
  const bye = await gets(t, peer, 'GO_AWAY', { code: 14, reason: 16 });
  t.regex(bye.text, /5000 ms/);
  t.is(await peer.expectClosed(), undefined);
  t.is(peer.log.at(-1), bye);
}

/** Checks a connection that is reset without any frame, because no peer has identified itself. */
async function cutOff(t: TestContext, peer: RawPeer): Promise<void> {
  const error = await peer.expectClosed();
  t.is(peer.count('GO_AWAY'), 0);
  t.true(error !== undefined, 'the connection is reset, and does not end in order');
}
