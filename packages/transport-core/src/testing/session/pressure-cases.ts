// Cases of docs/wire-protocol.md §7, back-pressure: which messages wait, which connections are
// aborted, and which losses are counted.

import { failure, type Suite } from './checks.ts';
import { body, hint, KiB, MiB, packets, request, tag, untag } from './frames.ts';
import { type SessionFixture, turn } from './session-fixture.ts';

const ROOMY = { limits: { inbox: 0x4000_0000 } };

export function pressureCases({ it }: Suite): void {
  it('pressure: once a connection is up, reading waits neither for writing nor for the application', async (t, up) => {
    const s = await up({ hello: ROOMY });
    await fill(s);
    s.peer.send(hint(tag(1)), ...packets(request(s.id(0), []), body(100 * KiB)), hint(tag(2)));
    t.is(untag((await s.call('hint')).request), 1);
    t.is((await s.call('echo')).request.length, 100 * KiB);
    t.is(untag((await s.call('hint')).request), 2);
  });

  it('pressure: `outbound` limits queued bytes: trySend returns false then, and `writable` resolves when there is room again', async (t, up) => {
    const s = await up({ hello: ROOMY, options: { limits: { outbound: { bytes: 2 * MiB } } } });
    const taken = await fill(s);
    t.true(taken < 64 * MiB, `${taken} bytes were accepted`);
    t.false(s.transport.trySend(s.remote, 'hint', tag(1)));
    let writable = false;
    const room = s.transport.writable(s.remote).then(() => {
      writable = true;
    });
    await turn();
    t.false(writable);
    s.peer.resume();
    await room;
    t.true(s.transport.trySend(s.remote, 'hint', tag(1)));
    await s.peer.next('ONEWAY', (frame) => frame.payload.length === 2);
  });

  it('pressure: `outbound.messages` limits the number of queued messages', async (t, up) => {
    const s = await up({ hello: ROOMY, options: { limits: { outbound: { messages: 10 } } } });
    await fill(s);
    t.false(s.transport.trySend(s.remote, 'hint', tag(1)));
    const waits = s.client.hint(tag(2), { timeout: 1_000 });
    s.clock.advance(1_001);
    await failure(t, waits, { code: 'deadline_exceeded', sent: false });
  });

  it('pressure: a connection that flushes no byte for 10 s is reset, and accepted messages are counted as lost', async (t, up) => {
    const s = await up({
      hello: ROOMY,
      options: { keepAlive: { interval: 600_000, timeout: 5_000 } },
    });
    await fill(s);
    const call = failure(t, s.client.echo(tag(1), { timeout: 60_000 }));
    s.clock.advance(9_000);
    t.false(s.remote.closed);
    s.clock.advance(2_000);
    const { cause } = await s.seen.first('down');
    t.is(cause?.code, 'unavailable');
    t.is((await call).code, 'unavailable');
    t.true(s.seen.counted('onewayLost') > 0);
  });

  it('pressure: one-ways that arrived complete are delivered even after the connection is lost', async (t, up) => {
    const s = await up();
    s.peer.send(
      hint(tag(1)),
      hint(tag(2)),
      ...packets({ ...hint(), id: s.id(0) }, body(100 * KiB)),
    );
    await s.peer.barrier();
    s.peer.destroy();
    await s.seen.first('down');
    t.is(untag((await s.call('hint')).request), 1);
    t.is(untag((await s.call('hint')).request), 2);
    t.is((await s.call('hint')).request.length, 100 * KiB);
  });

  it('pressure: a call fails at its deadline if the peer grants no credit of the pipe, and nothing else fails', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    const sent = s.client.echo(body(MiB), { timeout: 2_000 });
    await s.peer.next('REQUEST');
    const beside = s.client.echo(tag(1));
    const small = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: small.id, payload: tag(1) });
    await beside;
    await s.peer.arrived(3, 'PART');
    s.clock.advance(2_001);
    t.is((await failure(t, sent)).code, 'deadline_exceeded');
    await s.peer.next('CANCEL');
    await s.peer.barrier();
    t.is(s.peer.count('PART'), 3);
  });

  it('pressure: a connection whose pipe stays exhausted for 10 s without a CREDIT is reset, though its peer answers PINGs', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    const sent = s.client.echo(body(MiB), { timeout: 3_600_000 });
    await s.peer.next('REQUEST');
    await passes(s, 9_999);
    t.false(s.remote.closed);
    // This credit is less than the peer had overdrawn, but it still shows that the peer is alive.
    s.peer.grant(1, 1);
    await passes(s, 9_999);
    t.false(s.remote.closed);
    s.clock.advance(1);
    await failure(t, sent, { code: 'unavailable', reason: 'reset' });
    t.is((await s.seen.first('down')).cause?.reason, 'reset');
    await s.peer.expectClosed();
  });

  it('pressure: exhausted accounts 2 and 3 are the back-pressure of a slow reader, and cause no reset', async (t, up) => {
    const s = await up({ hello: { limits: { inbox: 1, stream: 1 } } });
    const slow = { timeout: 3_600_000 };
    const waits = [s.client.hint(tag(1)), s.client.hint(tag(2), slow)];
    const calls = [s.client.echo(body(100 * KiB), slow), s.client.echo(body(100 * KiB), slow)];
    s.peer.send(request(s.id(0)), request(s.id(1)), request(s.id(2), [1], { method: 4, flags: 2 }));
    for (const rpc of [await s.call('echo'), await s.call('echo')]) rpc.respond(body(100 * KiB));
    const feed = await s.call('feed');
    const items = [feed.write(tag(1)), feed.write(tag(2))];
    await waits[0];
    await passes(s, 60_000);
    t.false(s.remote.closed);
    s.peer.grant(2, 1_026, { channel: 0x20 });
    s.peer.grant(2, 1_026, { channel: 0x20 });
    s.peer.grant(2, 100 * KiB + 64, { channel: 0x20 });
    s.peer.grant(3, 66, { id: s.id(2) });
    await waits[1];
    for (const id of [s.id(0), s.id(1)])
      await s.peer.message('RESPONSE', (frame) => frame.id === id);
    for (const call of calls) {
      s.peer.send({ kind: 'RESPONSE', id: (await s.peer.message('REQUEST')).id });
      await call;
    }
    await Promise.all(items);
    t.false(s.remote.closed);
  });

  it('pressure: a receiver of packets returns some credit of the pipe within 3 s, however few packets arrive', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), [1], { method: 3, flags: 1 }));
    await s.call('collect');
    for (let n = 0; n < 10; n++) {
      s.peer.send({ kind: 'ITEM', id: s.id(0), payload: tag(n) });
      await passes(s, 1_000);
    }
    const credits = s.peer.log.filter((frame) => frame.kind === 'CREDIT' && frame.account === 1);
    t.true(credits.length >= 3, `${credits.length} CREDITs arrived in 10 s`);
  });

  it('pressure: a transport sends no faster than `rate.send`', async (t, up) => {
    const s = await up({ options: { limits: { rate: { send: 10_000 } } } });
    for (let n = 0; n < 40; n++) s.transport.trySend(s.remote, 'hint', body(1_000));
    const last = s.peer.next('ONEWAY', () => s.peer.count('ONEWAY') === 40);
    const began = s.clock.now();
    await s.until(last, 50);
    const took = s.clock.now() - began;
    t.true(took >= 2_000 && took <= 8_000, `40 kB at 10 kB/s took ${took} ms`);
  });

  it('pressure: a transport reads no faster than `rate.receive`, and does not blame the peer for unread bytes', async (t, up) => {
    const s = await up({
      options: {
        limits: { rate: { receive: 10_000 } },
        keepAlive: { interval: 1_000, timeout: 500 },
      },
    });
    const began = s.clock.now();
    // All bytes of one chunk are taken, and are paid for before the next chunk.
    for (let batch = 0; batch < 4; batch++) {
      for (let n = 0; n < 10; n++) s.peer.send(hint(body(1_000, n)));
      await s.until(
        (async () => {
          for (let n = 0; n < 10; n++) t.deepEqual((await s.call('hint')).request, body(1_000, n));
        })(),
        50,
      );
    }
    const took = s.clock.now() - began;
    t.true(took >= 1_900 && took <= 8_000, `40 kB at 10 kB/s took ${took} ms`);
    t.false(s.remote.closed);
  });

  it('pressure: beyond 1.25 times `limits.memory` the connection that holds most is reset, and the others stay', async (t, up) => {
    const s = await up({ options: { limits: { memory: 1024 * KiB } } });
    const other = await s.dialIn();
    await other.handshake();
    other.send(request(1, body(10 * KiB)));
    await other.barrier();
    for (let n = 0; n < 40; n++) s.peer.send(request(s.id(n), body(60 * KiB)));
    await s.peer.expectClosed();
    t.is((await s.seen.first('down')).cause?.code, 'resource_exhausted');
    await other.barrier();
    t.false(other.closed);
  });
}

/** Advances the clock in steps; the peer answers all PINGs in the meantime. */
async function passes(s: SessionFixture, milliseconds: number): Promise<void> {
  await s.peer.barrier();
  for (let left = milliseconds; left > 0; left -= 2_500) {
    s.clock.advance(Math.min(left, 2_500));
    await s.peer.barrier();
  }
}

/**
 * Pauses the peer and sends one-ways until the transport refuses even the smallest; returns the
 * number of bytes that the transport took.
 */
async function fill(s: SessionFixture): Promise<number> {
  s.peer.pause();
  let taken = 0;
  for (let idle = 0; idle < 20; ) {
    let some = false;
    for (const piece of PIECES) {
      while (s.transport.trySend(s.remote, 'hint', piece)) {
        taken += piece.length;
        some = true;
      }
    }
    idle = some ? 0 : idle + 1;
    await turn();
  }
  return taken;
}

const PIECES = [body(60 * KiB), body(KiB), body(3)];
