// Cases of docs/wire-protocol.md §8: how connections end.

import type { ErrorCode, ErrorReason } from '@trunkline/transport-core';
import { rawHello } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite, violation } from './checks.ts';
import { body, hint, KiB, packets, request, tag, untag } from './frames.ts';
import { met } from './session-fixture.ts';

export function endingCases({ it, open }: Suite): void {
  it('ending: closeStreams does not wait for a hello, but leaves as soon as it is complete, and serves calls that came with it', async (t, _up, role) => {
    const on = await open(t);
    const { peer } = await met(on, role);
    const hello = { kind: 'HELLO', hello: rawHello() } as const;
    if (role === 'acceptor') peer.begin(hello);
    await peer.next('HELLO');
    await on.transport.closeStreams();
    if (role === 'acceptor') peer.send({ kind: 'READY' }, hint(tag(1)));
    else {
      peer.begin(hello);
      await peer.next('READY');
      peer.send(hint(tag(1)));
    }
    await gets(t, peer, 'GO_AWAY', { code: 14, reason: 3 });
    t.is(untag((await on.call('hint')).request), 1);
    peer.send({ kind: 'GO_AWAY', code: 14, reason: 3 });
    await peer.expectClosed();
  });

  it("ending: disconnect sends GO_AWAY unavailable/disconnected, serves calls that cross it on the wire, and closes after the peer's GO_AWAY", async (t, up) => {
    const s = await up();
    const gone = s.transport.disconnect(s.remote, 'maintenance');
    const bye = await gets(t, s.peer, 'GO_AWAY', { code: 14, reason: 3 });
    t.regex(bye.text, /maintenance/);
    s.peer.send(hint(tag(1)), request(s.id(0), tag(2)));
    t.is(untag((await s.call('hint')).request), 1);
    const rpc = await s.call('echo');
    s.peer.send({ kind: 'GO_AWAY', code: 14, reason: 3 });
    t.true(rpc.respond(tag(2)));
    t.is(untag((await s.peer.next('RESPONSE')).payload), 2);
    await s.peer.expectClosed();
    await gone;
    t.is((await s.seen.first('down')).cause?.reason ?? 'disconnected', 'disconnected');
  });

  it('ending: after its own GO_AWAY the transport opens nothing on that connection', async (t, up) => {
    const s = await up();
    void s.transport.disconnect(s.remote);
    const bye = await s.peer.next('GO_AWAY');
    await failure(t, s.client.echo(tag(1)), { code: 'unavailable', sent: false });
    t.false(s.transport.trySend(s.remote, 'hint', tag(1)));
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST') + s.peer.count('ONEWAY'), 0);
    t.is(s.peer.count('GO_AWAY'), 1);
    t.true(bye.text.length <= 1_024);
  });

  it("ending: the transport answers the peer's GO_AWAY with its own, and finishes open calls first", async (t, up) => {
    const s = await up();
    const mine = s.client.echo(tag(1));
    const asked = await s.peer.next('REQUEST');
    s.peer.send(request(s.id(0), tag(2)), { kind: 'GO_AWAY', code: 14, reason: 1, text: 'idle' });
    const rpc = await s.call('echo');
    t.is((await s.peer.next('GO_AWAY')).code, 14);
    s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: tag(1) });
    t.is(untag(await mine), 1);
    await s.peer.barrier();
    t.false(s.peer.closed);
    rpc.respond(tag(2));
    await s.peer.next('RESPONSE');
    await s.peer.expectClosed();
  });

  for (const what of ['REQUEST', 'ONEWAY'] as const) {
    it(`ending: a ${what} after the sender's own GO_AWAY is a violation`, async (t, up) => {
      const s = await up();
      s.peer.send(request(s.id(0)));
      await s.call('echo');
      s.peer.send(
        { kind: 'GO_AWAY', code: 14, reason: 3 },
        what === 'REQUEST' ? request(s.id(1)) : hint(),
      );
      t.is((await s.peer.next('GO_AWAY', (frame) => frame.code !== 14)).reason, 12);
      await s.peer.expectClosed();
    });
  }

  it('ending: after its own GO_AWAY a sender may finish messages that it has begun', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), []), body(150 * KiB));
    s.peer.send(long[0] as never, { kind: 'GO_AWAY', code: 14, reason: 3 }, ...long.slice(1));
    const rpc = await s.call('echo');
    t.is(rpc.request.length, 150 * KiB);
    rpc.respond(tag(1));
    await s.peer.next('RESPONSE');
    await s.peer.expectClosed();
  });

  const endings: [number, number, ErrorCode, ErrorReason | undefined][] = [
    [13, 12, 'internal', 'malformed'],
    [8, 13, 'resource_exhausted', 'flood'],
    [14, 0, 'unavailable', undefined],
    [14, 4_000, 'unavailable', undefined],
  ];
  for (const [code, reason, name, reasonName] of endings) {
    it(`ending: GO_AWAY ${code}/${reason} from the peer fails all open calls with ${name}/${reasonName}`, async (t, up) => {
      const s = await up();
      const sent = s.client.echo(tag(1));
      const items = await s.client.feed(tag(2));
      await s.peer.next('REQUEST');
      await s.peer.next('REQUEST');
      s.peer.send({ kind: 'GO_AWAY', code, reason, text: 'because' });
      for (const promise of [sent, items[Symbol.asyncIterator]().next()]) {
        const error = await failure(t, promise, {
          code: name,
          reason: reasonName,
          origin: 'remote',
        });
        t.regex(error.message, /because/);
      }
      const { cause } = await s.seen.first('down');
      t.is(cause?.reason, reasonName);
      await s.peer.expectClosed();
    });
  }

  it('ending: a violation by the peer fails all open calls here with its code and reason', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    await s.peer.next('REQUEST');
    s.peer.bytes([0x00]);
    await failure(t, sent, { code: 'internal', reason: 'malformed' });
    await violation(t, s.peer);
  });

  it('ending: the GO_AWAY of a violation arrives although earlier bytes are still unread', async (t, up) => {
    const s = await up();
    s.peer.bytes(new Uint8Array(1), body(200 * KiB));
    await violation(t, s.peer);
  });

  it('ending: the GO_AWAY of a violation is sent before all queued frames, which are dropped', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    s.client.echo(body(1024 * KiB)).catch(() => {});
    await s.peer.next('REQUEST');
    s.peer.bytes([0x00]);
    await violation(t, s.peer);
    t.true(s.peer.count('PART') <= 3);
  });

  it('ending: after a FIN without GO_AWAY, received frames are processed, and then all open calls fail with unavailable', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    await s.peer.next('REQUEST');
    const reads = [s.call('hint'), s.call('echo')] as const;
    s.peer.send(hint(tag(5)), request(s.id(0), tag(6)));
    s.peer.close();
    await failure(t, sent, { code: 'unavailable', sent: true });
    t.is(untag((await reads[0]).request), 5);
    const rpc = await reads[1];
    await s.seen.first('down');
    t.false(rpc.respond(tag(6)), 'a half-closed connection serves nothing');
    t.true(s.remote.closed);
    t.deepEqual(s.transport.remotes(), []);
  });

  it('ending: answers received before a FIN are delivered', async (t, up) => {
    const s = await up();
    const kept = s.client.echo(tag(1));
    const lost = s.client.echo(tag(2));
    const first = await s.peer.next('REQUEST');
    await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: first.id, payload: tag(1) });
    s.peer.close();
    t.is(untag(await kept), 1);
    t.is((await failure(t, lost)).code, 'unavailable');
  });

  it('ending: after a connection is cut within a frame, each open call fails once, with unavailable', async (t, up) => {
    const s = await up();
    const sent = Array.from({ length: 20 }, (_, n) => s.client.echo(tag(n)));
    const first = await s.peer.next('REQUEST');
    s.peer.send(...packets({ kind: 'RESPONSE', id: first.id }, body(150 * KiB)).slice(0, 1));
    await s.peer.barrier();
    s.peer.bytes([0x20, 0x08]);
    s.peer.destroy();
    for (const call of sent) t.is((await failure(t, call)).code, 'unavailable');
    t.is(s.seen.events.filter((event) => event.type === 'down').length, 1);
  });
}
