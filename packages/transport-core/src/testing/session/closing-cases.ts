// Cases of docs/wire-protocol.md §8: close() of a transport, as its peers see it.

import { failure, gets, type Suite } from './checks.ts';
import { body, KiB, request, tag, untag } from './frames.ts';

export function closingCases({ it }: Suite): void {
  it('closing: close() sends GO_AWAY unavailable/closed and ends the connection', async (t, up) => {
    const s = await up();
    const closed = s.transport.close();
    await gets(t, s.peer, 'GO_AWAY', { code: 14, reason: 2 });
    s.peer.send({ kind: 'GO_AWAY', code: 14, reason: 2 });
    await s.peer.expectClosed();
    await s.until(closed);
    t.is(s.clock.timers, 0, 'no timer is left');
  });

  it('closing: open calls fail with shutdown at the closing end and with unavailable at the other', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    await s.peer.next('REQUEST');
    s.peer.send(request(s.id(0)));
    const rpc = await s.call('echo');
    const closed = s.transport.close();
    await failure(t, sent, { code: 'shutdown', sent: true });
    t.is((await s.peer.next('GO_AWAY')).code, 14);
    await s.until(closed);
    await s.peer.expectClosed();
    t.true(rpc.signal.aborted);
    t.false(rpc.respond(tag(1)));
    for (const frame of s.peer.log) if (frame.kind === 'ERROR') t.is(frame.code, 14);
    await failure(t, s.client.echo(tag(2)), { code: 'shutdown', sent: false });
  });

  it('closing: calls in flight may finish within `grace`, and then the transport ends without waiting for the GO_AWAY of the peer', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    const asked = await s.peer.next('REQUEST');
    s.peer.send(request(s.id(0), tag(2)));
    const rpc = await s.call('echo');
    const closed = s.transport.close({ grace: 3_000 });
    await s.peer.next('GO_AWAY');
    s.clock.advance(2_000);
    s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: tag(1) });
    t.is(untag(await sent), 1);
    t.true(rpc.respond(tag(2)));
    t.is(untag((await s.peer.next('RESPONSE')).payload), 2);
    await s.peer.expectClosed();
    await s.until(closed);
  });

  it('closing: calls that have not finished when `grace` is over fail', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1), { timeout: 60_000 });
    await s.peer.next('REQUEST');
    const closed = s.transport.close({ grace: 3_000 });
    await s.peer.next('GO_AWAY');
    await s.peer.barrier();
    t.false(s.peer.closed);
    const began = s.clock.now();
    await failure(t, s.until(sent), { code: 'shutdown' });
    t.true(s.clock.now() - began >= 2_900 && s.clock.now() - began <= 4_500);
    await s.until(closed);
    await s.peer.expectClosed();
  });

  it('closing: `grace` does not shrink by the silence before it', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1), { timeout: 60_000 });
    const { id } = await s.peer.next('REQUEST');
    s.clock.advance(8_000);
    const closed = s.transport.close({ grace: 5_000 });
    await s.peer.next('GO_AWAY');
    s.clock.advance(4_000);
    await s.peer.barrier();
    s.peer.send({ kind: 'RESPONSE', id, payload: tag(1) });
    t.is(untag(await sent), 1);
    await s.until(closed);
  });

  it('closing: the peer chooses its own `grace`, which may be longer than the 5 s of a disconnect', async (t, up) => {
    const s = await up({ options: { idleTimeout: Number.POSITIVE_INFINITY } });
    const sent = s.client.echo(tag(1), { timeout: 60_000 });
    const { id } = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'GO_AWAY', code: 14, reason: 2 });
    t.is((await s.peer.next('GO_AWAY')).reason, 2);
    for (let n = 0; n < 6; n++) {
      s.clock.advance(4_000);
      await s.peer.barrier();
    }
    s.peer.send({ kind: 'RESPONSE', id, payload: tag(1) });
    t.is(untag(await sent), 1);
    await s.peer.expectClosed();
  });

  it('closing: without `grace` the transport waits for no answer to its GO_AWAY, and reads no more', async (t, up) => {
    const s = await up();
    const closed = s.transport.close();
    await s.peer.next('GO_AWAY');
    s.peer.send(request(s.id(0), tag(1)));
    await s.until(closed);
    await s.peer.expectClosed();
    t.is(s.peer.log.at(-1)?.kind, 'GO_AWAY');
    t.is(s.peer.count('ERROR'), 0);
  });

  it('closing: calls that arrive within `grace` are refused unprocessed', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), tag(1)));
    await s.call('echo');
    const closed = s.transport.close({ grace: 3_000 });
    await s.peer.next('GO_AWAY');
    s.peer.send(request(s.id(1), tag(2)));
    const error = await s.peer.next('ERROR', (frame) => frame.id === s.id(1));
    t.is(error.code, 14);
    t.is(error.flags, 1);
    s.peer.destroy();
    await s.until(closed);
  });

  it('closing: requests that were not sent fail at once with shutdown and `sent: false`', async (t, up) => {
    const s = await up({ hello: { limits: { calls: 1 } } });
    const first = failure(t, s.client.echo(tag(1)));
    const second = failure(t, s.client.echo(tag(2)));
    await s.peer.next('REQUEST');
    const closed = s.transport.close({ grace: 5_000 });
    const error = await second;
    t.is(error.code, 'shutdown');
    t.is(error.sent, false);
    s.peer.destroy();
    await first;
    await s.until(closed);
  });

  it('closing: a peer that has stopped reading delays close() by a second at most', async (t, up) => {
    const s = await up({ hello: { limits: { inbox: 0x4000_0000 } } });
    s.peer.pause();
    for (let n = 0; n < 200; n++) s.transport.trySend(s.remote, 'hint', body(60 * KiB));
    await s.until(s.transport.close());
    t.true(s.remote.closed);
  });
}
