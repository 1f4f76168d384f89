// Cases of docs/design.md, the pool: which connection a call uses.

import { failure, type Suite } from './checks.ts';
import { body, KiB, lineProtocol, MiB, tag, untag } from './frames.ts';

export function poolCases({ test, open }: Suite): void {
  test('pool: a pool grows, up to `maxPool`, when every pipe has been without credit and messages have waited for 50 ms', async (t) => {
    const on = await open(t, { maxPool: 2, timeout: 600_000 });
    const listener = await on.listen();
    for (let n = 0; n < 3; n++)
      on.transport.send(listener.address, 'echo', body(MiB, n)).catch(() => {});
    const peer = await listener.next();
    peer.returnPipe = false;
    const hello = await peer.handshake();
    await peer.next('REQUEST');
    await peer.barrier();
    const grown = listener.next();
    const second = await on.until(grown, 10);
    t.true(on.clock.now() - 1_000 >= 50);
    second.returnPipe = false;
    const again = await second.handshake();
    t.deepEqual(again.instance, hello.instance, 'pool members are recognized by their instance');
    for (let n = 0; n < 20; n++) {
      on.clock.advance(50);
      await second.barrier();
    }
    t.is(listener.peers.length, 2);
    const long = on.transport.send(listener.address, 'echo', body(100 * KiB));
    long.catch(() => {});
    await second.next('REQUEST');
    const short = on.transport.send(listener.address, 'echo', tag(5));
    const asked = await peer.next('REQUEST', (frame) => frame.size === 0);
    peer.send({ kind: 'RESPONSE', id: asked.id, payload: asked.payload });
    t.is(untag(await short), 5, 'the short message stayed on the first connection');
  });

  test('pool: an `ordered` protocol stays on one connection, even with long messages', async (t) => {
    const on = await open(t, { timeout: 600_000 });
    const mounted = on.transport.mount(lineProtocol);
    const listener = await on.listen();
    const first = mounted.send(listener.address, 'hint', tag(0));
    const peer = await listener.next();
    await peer.handshake();
    await first;
    for (let n = 0; n < 5; n++) {
      const sent = mounted.send(listener.address, 'hint', body(300 * KiB, n));
      t.deepEqual(
        (await peer.message('ONEWAY', (frame) => frame.size > 0)).payload,
        body(300 * KiB, n),
      );
      await sent;
    }
    t.is(listener.peers.length, 1);
  });

  test("pool: on the peer's GO_AWAY, waiting calls move to another connection", async (t) => {
    const on = await open(t, { timeout: 600_000 });
    const listener = await on.listen();
    const first = on.transport.send(listener.address, 'echo', tag(0));
    const one = await listener.next();
    await one.handshake({ limits: { calls: 1 } });
    const asked = await one.next('REQUEST');
    const waiting = [1, 2].map((n) => on.transport.send(listener.address, 'echo', tag(n)));
    await one.barrier();
    one.send({ kind: 'GO_AWAY', code: 14, reason: 1 });
    const two = await listener.next();
    await two.handshake();
    for (const n of [1, 2]) {
      const frame = await two.next('REQUEST');
      t.is(untag(frame.payload), n);
      two.send({ kind: 'RESPONSE', id: frame.id, payload: frame.payload });
    }
    await Promise.all(waiting);
    one.send({ kind: 'RESPONSE', id: asked.id, payload: tag(0) });
    t.is(untag(await first), 0);
    await one.expectClosed();
  });

  test('pool: a call moves from peers that leave to eight other connections, then fails', async (t) => {
    const on = await open(t, { timeout: 600_000 });
    const listener = await on.listen();
    const waiting = on.transport.send(listener.address, 'echo', tag(0));
    for (let n = 0; n < 9; n++) {
      const peer = await listener.next();
      await peer.handshake({ limits: { calls: 0 } });
      peer.send({ kind: 'GO_AWAY', code: 14, reason: 1 });
    }
    await failure(t, waiting, { code: 'unavailable', reason: 'disconnected', sent: false });
    t.is(listener.peers.length, 9);
    t.is(on.clock.now(), 1_000, 'the call has failed before its deadline');
  });

  test('pool: a call that is made while its connection ends is sent over a new one', async (t) => {
    const on = await open(t, { timeout: 600_000, limits: { connections: 1 } });
    const listener = await on.listen();
    let again: Promise<Uint8Array> | undefined;
    const items: AsyncIterator<Uint8Array> = {
      next: () => new Promise(() => {}),
      async return() {
        again = on.transport.send(listener.address, 'echo', tag(1));
        return { done: true, value: undefined };
      },
    };
    const upload = { [Symbol.asyncIterator]: () => items };
    const first = on.transport.send(listener.address, 'collect', tag(0), { upload });
    const one = await listener.next();
    await one.handshake();
    await one.next('REQUEST');
    one.destroy();
    await failure(t, first, { code: 'unavailable', sent: true });
    const two = await listener.next();
    await two.handshake();
    const frame = await two.next('REQUEST');
    two.send({ kind: 'RESPONSE', id: frame.id, payload: frame.payload });
    t.is(untag((await again)!), 1);
  });
}
