// Cases of docs/wire-protocol.md §4: protocols and methods that the callee lacks, the limit on
// calls, and the meaning of `sent`.

import { failure, gets, type Suite } from './checks.ts';
import { body, hint, KiB, packets, request, tag, untag } from './frames.ts';
import { sends } from './session-fixture.ts';

export function dispatchCases({ test, it, open, connect }: Suite): void {
  const misfits: [string, Parameters<typeof request>[2], number][] = [
    ['a REQUEST of a one-way method', { method: 2 }, 9],
    ['an upload flag on a unary method', { flags: 1 }, 9],
    ['a download flag on a unary method', { flags: 2 }, 9],
    ['no flag on an uploading method', { method: 3 }, 9],
    ['an upload flag on a downloading method', { method: 4, flags: 1 }, 9],
    ['half the flags of a duplex method', { method: 5, flags: 2 }, 9],
    ['a method that does not exist', { method: 6 }, 12],
    ['the largest method number', { method: 0xffff_ffff }, 12],
    ['a channel that does not exist', { channel: 0x55 }, 12],
    ['channel 0x120, whose low byte is the existing channel 0x20,', { channel: 0x120 }, 12],
    ['the largest channel number', { channel: 0xffff_ffff }, 12],
  ];
  for (const [what, changes, code] of misfits) {
    it(`dispatch: ${what} is answered with ${code === 9 ? 'failed_precondition' : 'unimplemented'}, unprocessed, and has no other effect`, async (t, up) => {
      const s = await up();
      s.peer.send(request(s.id(0), [1], changes), request(s.id(1), [2]));
      const error = await gets(t, s.peer, 'ERROR', { id: s.id(0), code, flags: 1 });
      t.true(error.text.length > 0);
      const rpc = await s.call('echo');
      t.deepEqual(rpc.request, Uint8Array.of(2));
      rpc.respond(rpc.request);
      await s.peer.next('RESPONSE');
    });
  }

  it('dispatch: one-ways to unknown methods and channels are dropped and counted, and their credit is returned', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 2_000 } } } });
    for (let n = 0; n < 30; n++) {
      s.peer.send(hint(body(100), { method: n % 2 === 0 ? 9 : 1 }));
      await s.peer.barrier();
    }
    t.is(s.seen.counted('onewayDropped'), 30);
    t.false(s.peer.closed);
  });

  it('dispatch: the cost of a message to a channel without a protocol is returned at once, above channel 255 never', async (t, up) => {
    const s = await up();
    const credit = async () => {
      await s.peer.barrier();
      const frames = s.peer.log.filter(({ kind, account }) => kind === 'CREDIT' && account === 2);
      t.true(frames.every(({ channel }) => channel === 0x99));
      return frames.reduce(
        ({ credit, done }, frame) => ({ credit: credit + frame.credit, done: done + frame.size }),
        { credit: 0, done: 0 },
      );
    };
    s.peer.send(hint(body(100), { channel: 0x99 }), hint(body(50), { channel: 0x99 }));
    t.deepEqual(await credit(), { credit: 1_124 + 1_074, done: 2 });
    for (const [n, channel] of [0x99, 0x199].entries()) {
      const long = packets(request(s.id(n), [], { channel }), body(100 * KiB));
      s.peer.send(long[0] as never, { ...request(s.id(n + 2)), channel });
    }
    s.peer.send(hint(body(100), { channel: 0x199 }));
    t.deepEqual(await credit(), { credit: 1_124 + 1_074 + 100 * KiB + 64, done: 2 });
    t.is(s.seen.counted('onewayDropped'), 3);
    t.is(s.peer.count('ERROR'), 4);
  });

  it('dispatch: a long request to an unknown method or channel is refused at its first packet, and the rest is discarded', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), [], { method: 9 }), body(200 * KiB));
    s.peer.send(long[0] as never);
    t.is((await s.peer.next('ERROR')).code, 12);
    s.peer.send(...long.slice(1));
    await s.peer.barrier();
    t.false(s.peer.closed);
    t.is(s.peer.count('ERROR'), 1);
  });

  it('dispatch: a call that no reader takes is answered with unimplemented, unprocessed, after 1 s or half of its time', async (t, up) => {
    const s = await up();
    s.peer.send(
      request(s.id(0), [1]),
      request(s.id(1), [2], { timeout: 800 }),
      request(s.id(2), [3], { method: 4, flags: 2 }),
    );
    await s.peer.barrier();
    for (const [wait, ids] of [
      [399, []],
      [1, [s.id(1)]],
      [599, []],
      [1, [s.id(0), s.id(2)]],
    ] as const) {
      s.clock.advance(wait);
      await s.peer.barrier();
      for (const id of ids) {
        const error = await s.peer.next('ERROR', (frame) => frame.id === id);
        t.is(error.code, 12);
        t.is(error.flags, 1);
        t.regex(error.text, /^'lab\/(echo|feed)' is not served/);
      }
    }
    t.is(s.peer.count('ERROR'), 3);
  });

  it("dispatch: the caller makes no more calls than the peer's `calls` allows, and the rest wait in order", async (t, up) => {
    const s = await up({ hello: { limits: { calls: 3 } }, side: true });
    const sent = Array.from({ length: 6 }, (_, n) => s.client.echo(tag(n)));
    for (let n = 0; n < 3; n++) t.is(untag((await s.peer.next('REQUEST')).payload), n);
    const beside = s.side.send(s.remote, 'echo', tag(9));
    const other = await s.peer.next('REQUEST', (frame) => frame.channel === 0x21);
    s.peer.send({ kind: 'RESPONSE', id: other.id });
    await beside;
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 4, 'another channel has its own count');
    const open = s.peer.log.filter((frame) => frame.kind === 'REQUEST' && frame.channel === 0x20);
    for (let n = 3; n < 6; n++) {
      s.peer.send({ kind: 'RESPONSE', id: open[n - 3]?.id ?? 0 });
      const next = await s.peer.next('REQUEST');
      t.is(untag(next.payload), n);
      open.push(next);
    }
    for (const { id } of open.slice(3)) s.peer.send({ kind: 'RESPONSE', id });
    await Promise.all(sent);
  });

  it('dispatch: a canceled call counts in `calls` until its terminal is read', async (t, up) => {
    const s = await up({ hello: { limits: { calls: 1 } } });
    const first = s.client.echo(tag(0), { timeout: 100 });
    const asked = await s.peer.next('REQUEST');
    s.clock.advance(101);
    await failure(t, first);
    await s.peer.next('CANCEL');
    const second = s.client.echo(tag(1));
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 1);
    s.peer.send({ kind: 'ERROR', id: asked.id, code: 1 });
    const next = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: next.id });
    await second;
  });

  it('dispatch: the callee refuses calls beyond its `calls`, unprocessed', async (t, up) => {
    const s = await up({ options: { limits: { calls: 2 } } });
    s.peer.send(request(s.id(0)), request(s.id(1)));
    const running = [await s.call('echo'), await s.call('echo')];
    s.peer.send(request(s.id(2)));
    await gets(t, s.peer, 'ERROR', { id: s.id(2), code: 8, flags: 1 });
    await s.seen.reaches('refusedCall', 1);
    for (const rpc of running) rpc.respond(Uint8Array.of(1));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(1));
    s.peer.send(request(s.id(3)));
    (await s.call('echo')).respond(Uint8Array.of(1));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(3));
  });

  it('dispatch: canceled calls whose handlers still run count (rapid reset), without a disconnection', async (t, up) => {
    const s = await up({ options: { limits: { calls: 4 } } });
    const running = [];
    for (let n = 0; n < 4; n++) {
      s.peer.send(request(s.id(n)));
      running.push(await s.call('echo'));
      s.peer.send({ kind: 'CANCEL', id: s.id(n) });
      t.is((await s.peer.next('ERROR')).code, 1);
    }
    for (let n = 4; n < 3_004; n++) s.peer.send(request(s.id(n)), { kind: 'CANCEL', id: s.id(n) });
    let refused = 0;
    while (refused < 3_000) {
      const { code, flags } = await s.peer.next('ERROR');
      t.deepEqual({ code, flags }, { code: 8, flags: 1 });
      refused++;
    }
    await s.peer.barrier();
    t.false(s.peer.closed);
    for (const rpc of running) t.false(rpc.respond(Uint8Array.of(1)));
    s.peer.send(request(s.id(0)));
    (await s.call('echo')).respond(Uint8Array.of(2));
    await s.peer.next('RESPONSE');
  });

  it('dispatch: `streams` limits streaming calls: the caller waits, and the callee refuses', async (t, up) => {
    const s = await up({ hello: { limits: { streams: 1 } }, options: { limits: { streams: 1 } } });
    const first = await s.client.feed(tag(0));
    const second = s.client.feed(tag(1));
    const asked = await s.peer.next('REQUEST');
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 1);
    s.peer.send({ kind: 'END', id: asked.id });
    const next = await s.peer.next('REQUEST');
    t.is(untag(next.payload), 1);
    for await (const _ of first) t.fail('no item was sent');
    s.peer.send({ kind: 'END', id: next.id });
    for await (const _ of await second) t.fail('no item was sent');
    s.peer.send(
      request(s.id(0), [1], { method: 4, flags: 2 }),
      request(s.id(1), [1], { method: 4, flags: 2 }),
      request(s.id(2), [3]),
    );
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 8, flags: 1 });
    (await s.call('feed')).end();
    const rpc = await s.call('echo');
    rpc.respond(rpc.request);
    await s.peer.next('RESPONSE');
  });

  it('dispatch: an unprocessed ERROR means `sent: false`, any other means `sent: true`, and neither is retried', async (t, up) => {
    const s = await up();
    for (const flags of [1, 0]) {
      const sent = s.client.echo(tag(1));
      const { id } = await s.peer.next('REQUEST');
      s.peer.send({ kind: 'ERROR', id, code: 8, flags, text: 'full' });
      await failure(t, sent, { code: 'resource_exhausted', sent: flags === 0 });
    }
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 2);
  });

  test('dispatch: a call that is lost after it was sent fails with unavailable and `sent: true`, and is not retried', async (t) => {
    const on = await open(t);
    const { listener, sent, peer } = await sends(on);
    await peer.handshake();
    await peer.next('REQUEST');
    peer.destroy();
    await failure(t, sent, { code: 'unavailable', sent: true });
    t.is(listener.peers.length, 1);
  });

  test('dispatch: calls that are lost before they were sent are sent once more over another connection, in order', async (t) => {
    const on = await open(t);
    const { listener, sent: first, peer } = await sends(on, tag(0));
    await peer.handshake({ limits: { calls: 1 } });
    const asked = await peer.next('REQUEST');
    const waiting = [1, 2, 3].map((n) => on.transport.send(listener.address, 'echo', tag(n)));
    await peer.barrier();
    peer.destroy();
    t.is((await failure(t, first)).sent, true);
    const second = await listener.next();
    await second.handshake();
    for (const n of [1, 2, 3]) {
      const frame = await second.next('REQUEST');
      t.is(untag(frame.payload), n);
      second.send({ kind: 'RESPONSE', id: frame.id, payload: frame.payload });
    }
    t.deepEqual((await Promise.all(waiting)).map(untag), [1, 2, 3]);
    t.is(asked.kind, 'REQUEST');
  });

  test('dispatch: calls to a Remote that is lost are not retried, and have `sent: false` if they were still queued', async (t) => {
    const s = await connect(t, 'dialer', { hello: { limits: { calls: 1 } } });
    const first = s.client.echo(tag(0));
    const second = s.client.echo(tag(1));
    await s.peer.next('REQUEST');
    s.peer.destroy();
    await failure(t, first, { code: 'unavailable', sent: true });
    await failure(t, second, { code: 'unavailable', sent: false });
    await failure(t, s.client.echo(tag(2)), { code: 'unavailable', sent: false });
  });

  it('dispatch: the inbound queue also limits bytes, but an empty queue takes any one message', async (t, up) => {
    const s = await up({ options: { limits: { inbound: { bytes: 1_000 } } } });
    s.peer.send(request(s.id(0), body(5_000)), request(s.id(1), [1]));
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 8 });
    const rpc = await s.call('echo');
    t.is(rpc.request.length, 5_000);
    s.peer.send(request(s.id(2), [2]));
    const next = await s.call('echo');
    for (const one of [rpc, next]) one.respond(Uint8Array.of(1));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(2));
  });
}
