// docs/wire-protocol.md §7, back-pressure: what waits, what is cut, what is lost and counted.

import type { TestFunction } from '../test-runner.ts';
import { eachRole, type Session, type SessionBackend, session, turn } from './lab.ts';
import { body, hint, KiB, MiB, packets, request, tag, untag } from './lab-frames.ts';
import { failure } from './verdicts.ts';

const ROOMY = { limits: { short: 0x4000_0000 } };

export function pressureCases(test: TestFunction, backend: SessionBackend): void {
  eachRole(test, 'pressure: once up, reading waits neither for writing nor for the application', async (t, role) => {
    const s = await session(t, backend, role, { hello: ROOMY });
    await fill(s);
    s.peer.send(hint(tag(1)), ...packets(request(s.id(0), []), body(100 * KiB)), hint(tag(2)));
    t.is(untag((await s.call('hint')).request), 1);
    t.is((await s.call('echo')).request.length, 100 * KiB);
    t.is(untag((await s.call('hint')).request), 2);
  });

  eachRole(test, 'pressure: `outbound` bounds what waits, trySend is false then, and `writable` tells when it is over', async (t, role) => {
    const s = await session(t, backend, role, { hello: ROOMY, options: { limits: { outbound: { bytes: 2 * MiB } } } });
    const taken = await fill(s);
    t.true(taken < 64 * MiB, `${taken} bytes were taken`);
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

  eachRole(test, 'pressure: `outbound.messages` bounds their number', async (t, role) => {
    const s = await session(t, backend, role, { hello: ROOMY, options: { limits: { outbound: { messages: 10 } } } });
    await fill(s);
    t.false(s.transport.trySend(s.remote, 'hint', tag(1)));
    const waits = s.client.hint(tag(2), { timeout: 1_000 });
    s.clock.advance(1_001);
    const error = await failure(t, waits);
    t.is(error.code, 'deadline_exceeded');
    t.is(error.sent, false);
  });

  eachRole(test, 'pressure: no byte flushed in 10 s cuts the connection, and what was accepted is counted as lost', async (t, role) => {
    const s = await session(t, backend, role, { hello: ROOMY, options: { keepAlive: { interval: 600_000, timeout: 5_000 } } });
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

  eachRole(test, 'pressure: what is stuck on one connection delays no other', async (t, role) => {
    const s = await session(t, backend, role, { hello: ROOMY });
    await fill(s);
    const next = await s.dialIn();
    await next.handshake();
    next.send(request(1, tag(4)));
    (await s.call('echo')).respond(tag(4));
    await next.next('RESPONSE');
    t.pass();
  });

  eachRole(test, 'pressure: one-ways that came whole are delivered even after a loss', async (t, role) => {
    const s = await session(t, backend, role);
    s.peer.send(hint(tag(1)), hint(tag(2)), ...packets({ ...hint(), id: s.id(0) }, body(100 * KiB)));
    await s.peer.barrier();
    s.peer.destroy();
    await s.seen.first('down');
    t.is(untag((await s.call('hint')).request), 1);
    t.is(untag((await s.call('hint')).request), 2);
    t.is((await s.call('hint')).request.length, 100 * KiB);
  });

  eachRole(test, 'pressure: a request whose connection is lost is told so by its signal', async (t, role) => {
    const s = await session(t, backend, role);
    s.peer.send(request(s.id(0), tag(2)));
    const rpc = await s.call('echo');
    s.peer.destroy();
    await s.seen.first('down');
    t.true(rpc.signal.aborted);
    t.false(rpc.respond(tag(2)));
  });

  eachRole(test, 'pressure: a stuck consumer stops its channel and no other', async (t, role) => {
    const s = await session(t, backend, role, {
      side: true,
      hello: {
        protocols: [
          { name: 'lab', version: 1, accepts: [], channel: 0x20 },
          { name: 'side', version: 1, accepts: [], channel: 0x21 },
        ],
      },
      options: { limits: { inbound: { calls: 3 } } },
    });
    const aside = s.side.consumer('echo');
    for (let n = 0; n < 10; n++) s.peer.send(request(s.id(n), tag(n)));
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 7);
    s.peer.send(request(s.id(20), tag(20), { channel: 0x21 }));
    const { value: rpc } = await aside.next();
    rpc.respond(rpc.request);
    t.is((await s.peer.next('RESPONSE')).id, s.id(20));
  });

  eachRole(test, 'pressure: a peer that grants no pipe fails the call at its deadline, and only that', async (t, role) => {
    const s = await session(t, backend, role);
    s.peer.returnPipe = false;
    const sent = s.client.echo(body(MiB), { timeout: 2_000 });
    await s.peer.next('REQUEST');
    const beside = s.client.echo(tag(1));
    const small = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: small.id, payload: tag(1) });
    await beside;
    s.clock.advance(2_001);
    t.is((await failure(t, sent)).code, 'deadline_exceeded');
    await s.peer.next('CANCEL');
    await s.peer.barrier();
    t.is(s.peer.count('PART'), 3);
  });

  eachRole(test, 'pressure: `rate.send` spends no more than it has', async (t, role) => {
    const s = await session(t, backend, role, { options: { limits: { rate: { send: 10_000 } } } });
    for (let n = 0; n < 40; n++) s.transport.trySend(s.remote, 'hint', body(1_000));
    const last = s.peer.next('ONEWAY', () => s.peer.count('ONEWAY') === 40);
    const began = s.clock.now();
    await s.until(last, 50);
    const took = s.clock.now() - began;
    t.true(took >= 2_000 && took <= 8_000, `40 kB at 10 kB/s took ${took} ms`);
  });

  eachRole(test, 'pressure: `rate.receive` reads no faster, and accuses nobody of what it left unread', async (t, role) => {
    const s = await session(t, backend, role, { options: { limits: { rate: { receive: 10_000 } }, keepAlive: { interval: 1_000, timeout: 500 } } });
    const began = s.clock.now();
    // What comes in one chunk is taken whole, and paid for before the next.
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

  eachRole(test, 'pressure: beyond 1.25 times `limits.memory` the connection that holds most is cut, the others live', async (t, role) => {
    const s = await session(t, backend, role, { options: { limits: { memory: 1024 * KiB } } });
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

/** The peer stops reading, and the transport gets one-ways until it takes no more, not the smallest: the bytes that it took. */
async function fill(s: Session): Promise<number> {
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
