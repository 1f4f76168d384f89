// Cases of docs/wire-protocol.md §9, liveness: pings, idle connections, floods.

import { concat, encodeRawFrame, type RawFrameInput } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite } from './checks.ts';
import { hint, request, tag, untag } from './frames.ts';

const NEVER_IDLE = { idleTimeout: Number.POSITIVE_INFINITY };

export function aliveCases({ test, it, open }: Suite): void {
  it('alive: the transport answers any PING at once with a PONG of the same id', async (t, up) => {
    const s = await up();
    for (const id of [1, 2, 0xffff_ffff, 7, 7]) {
      s.peer.send({ kind: 'PING', id });
      t.is((await s.peer.next('PONG')).id, id);
    }
  });

  it('alive: a transport sends one PING when the connection is up, and takes `rtt` from its PONG', async (t, up) => {
    const s = await up();
    t.is(s.peer.count('PING'), 1);
    t.true((s.peer.log.find((frame) => frame.kind === 'PING')?.id ?? 0) >= 1);
    t.is(s.remote.rtt, 0, 'no time has passed');
    await s.peer.barrier();
    t.is(s.peer.count('PING'), 1);
  });

  test('alive: the first PING only measures `rtt`; later ones are sent after 10 s and wait 5 s for a PONG', async (t) => {
    const on = await open(t, NEVER_IDLE);
    const peer = await on.dialIn();
    peer.answerPings = false;
    await peer.handshake();
    await peer.next('PING');
    const { remote } = await on.seen.first('up');
    on.clock.advance(14_800);
    t.false(remote.closed);
    on.clock.advance(300);
    t.true(remote.closed);
    t.is((await on.seen.first('down')).cause?.reason, 'ping_timeout');
    await peer.expectClosed();
  });

  it('alive: after 10 s without received bytes a PING is sent, and 5 s later a silent peer is disconnected', async (t, up) => {
    const s = await up({ options: NEVER_IDLE });
    s.peer.answerPings = false;
    const call = failure(t, s.client.echo(tag(1), { timeout: 60_000 }), {
      code: 'unavailable',
      reason: 'ping_timeout',
      sent: true,
    });
    await s.peer.next('REQUEST');
    s.clock.advance(9_900);
    t.is(s.peer.count('PING'), 1);
    s.clock.advance(200);
    await s.peer.next('PING');
    s.clock.advance(4_700);
    t.false(s.remote.closed);
    s.clock.advance(300);
    await call;
    t.is((await s.seen.first('down')).cause?.reason, 'ping_timeout');
    await s.peer.expectClosed();
    t.is(s.peer.count('PING'), 2, 'only one PING is outstanding at a time');
  });

  it('alive: any received byte counts as a sign of life, even one of an incomplete frame', async (t, up) => {
    const s = await up({ options: NEVER_IDLE });
    s.peer.answerPings = false;
    s.clock.advance(10_001);
    await s.peer.next('PING');
    s.clock.advance(4_000);
    s.peer.bytes(concat([encodeRawFrame({ kind: 'PING', id: 1 }), [0x07, 0x08]]));
    await s.peer.next('PONG', (frame) => frame.id === 1);
    s.clock.advance(4_900);
    t.false(s.remote.closed, 'the PING was never answered, but other bytes arrived');
    s.peer.bytes([0x04, 0x15, 2, 0, 0, 0]);
    await s.peer.next('PONG', (frame) => frame.id === 2);
    s.clock.advance(4_900);
    t.false(s.remote.closed);
  });

  it('alive: a transport that wakes late reads first, and then judges whether the peer is alive', async (t, up) => {
    const s = await up({ options: NEVER_IDLE });
    s.peer.answerPings = false;
    s.clock.advance(10_001);
    await s.peer.next('PING');
    s.peer.send(hint(tag(1)));
    s.clock.jump(60_000);
    t.is(untag((await s.call('hint')).request), 1);
    s.clock.advance(10);
    await s.peer.barrier();
    t.false(s.remote.closed);
  });

  it('alive: a late wake-up moves the time limits of the peer by the delay, but not the deadlines of calls', async (t, up) => {
    const s = await up({ options: NEVER_IDLE });
    s.peer.answerPings = false;
    const call = failure(t, s.client.echo(tag(1), { timeout: 11_000 }));
    await s.peer.next('REQUEST');
    s.clock.advance(10_001);
    await s.peer.next('PING');
    // The deadline was due after 11 s. The transport wakes 2 s late, so the peer has 17 s instead
    // of 15.
    s.clock.jump(3_000);
    s.clock.advance(10);
    t.is((await call).code, 'deadline_exceeded');
    s.clock.advance(3_500);
    t.false(s.remote.closed);
    s.clock.advance(600);
    t.is((await s.seen.first('down')).cause?.reason, 'ping_timeout');
  });

  it('alive: the dialer closes an idle connection after `idleTimeout`, the acceptor after twice that time', async (t, up, role) => {
    const s = await up({ options: { idleTimeout: 20_000 } });
    const idle = role === 'dialer' ? 20_000 : 40_000;
    const began = s.clock.now();
    for (let left = idle - 2_000; left > 0; left -= 2_000) {
      s.clock.advance(2_000);
      await s.peer.barrier();
    }
    await s.until(gets(t, s.peer, 'GO_AWAY', { code: 14, reason: 1 }), 20);
    const took = s.clock.now() - began;
    t.true(took >= idle - 1_000 && took <= idle + 2_000, `it took ${took} ms`);
    s.peer.send({ kind: 'GO_AWAY', code: 14, reason: 1 });
    await s.peer.expectClosed();
  });

  it('alive: a connection with messages is not idle', async (t, up) => {
    const s = await up({ options: { idleTimeout: 10_000 } });
    for (let n = 0; n < 6; n++) {
      s.clock.advance(9_000);
      s.peer.send(hint(tag(n)));
      await s.call('hint');
    }
    t.is(s.peer.count('GO_AWAY'), 0, 'messages arrived');
    await s.until(s.peer.next('GO_AWAY'));
  });

  const floods: [string, (n: number) => RawFrameInput][] = [
    ['PINGs', (n) => ({ kind: 'PING', id: n + 1 })],
    ['frames of unknown kinds', () => ({ kind: 50 })],
    ['answers to calls that were never made', (n) => ({ kind: 'RESPONSE', id: n + 1_000_000 })],
    ['PONGs that were not requested', (n) => ({ kind: 'PONG', id: n + 0x6000_0000 })],
    [
      'lists of protocols',
      () => ({
        kind: 'PROTOCOLS',
        hello: { protocols: [{ name: 'lab', version: 1, accepts: [], channel: 0x20 }] },
      }),
    ],
  ];
  for (const [what, frame] of floods) {
    it(`alive: more than 1,000 ${what} in a second are a flood, and fewer are not`, async (t, up, role) => {
      const s = await up();
      const own = (n: number) =>
        what.startsWith('answers')
          ? { ...frame(n * 2), id: n * 2 + (role === 'dialer' ? 1_001 : 1_000) }
          : frame(n);
      for (let second = 0; second < 3; second++) {
        for (let n = 0; n < 800; n++) s.peer.send(own(n));
        await s.peer.barrier();
        s.clock.advance(1_100);
      }
      t.false(s.peer.closed);
      const sent = failure(t, s.client.echo(tag(1)));
      await s.peer.next('REQUEST');
      for (let n = 0; n < 4_000; n++) s.peer.send(own(n));
      await gets(t, s.peer, 'GO_AWAY', { code: 8, reason: 13 });
      await s.peer.expectClosed();
      const error = await sent;
      t.is(error.code, 'resource_exhausted');
      t.is(error.reason, 'flood');
    });
  }

  it('alive: more than 1,000 requests a second beyond `calls`, which the caller could have counted, are a flood', async (t, up) => {
    const s = await up({ options: { limits: { calls: 2 } } });
    for (let n = 0; n < 4_000; n++) s.peer.send(request(s.id(n)));
    await gets(t, s.peer, 'GO_AWAY', { reason: 13 });
    await s.peer.expectClosed();
  });

  it('alive: full queues refuse calls without a disconnection, and canceling many calls is not a flood', async (t, up) => {
    const s = await up({ options: { limits: { inbound: { calls: 1 } } } });
    for (let n = 0; n < 3_000; n++) s.peer.send(request(s.id(n)), { kind: 'CANCEL', id: s.id(n) });
    await s.peer.barrier();
    t.false(s.peer.closed);
    for (let n = 0; n < 3_000; n++) s.peer.send({ kind: 'CANCEL', id: s.id(n) });
    await s.peer.barrier();
    t.false(s.peer.closed);
  });
}
