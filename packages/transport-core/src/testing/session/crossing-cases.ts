// Cases of docs/wire-protocol.md §4 and §6, frames that cross: a frame for a call that has ended
// costs its sender nothing and disturbs nobody.

import type { RawFrameInput } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite } from './checks.ts';
import { body, KiB, packets, request, tag, untag } from './frames.ts';

export function crossingCases({ it }: Suite): void {
  it("crossing: items that arrive after the callee's answer are dropped, and their credit of the pipe is returned", async (t, up) => {
    const s = await up();
    const id = s.id(0);
    s.peer.send(request(id, [1], { method: 3, flags: 1 }));
    (await s.call('collect')).respond(tag(1));
    await s.peer.next('RESPONSE');
    const late: RawFrameInput[] = Array.from({ length: 20 }, () => ({
      kind: 'ITEM',
      id,
      payload: body(50 * KiB),
    }));
    await s.peer.paced([...late, { kind: 'END', id }]);
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 0);
    t.false(s.peer.closed);
  });

  it('crossing: the rest of a canceled request is dropped, and its credit of the pipe is returned', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), []), body(1024 * KiB));
    s.peer.send(long[0] as RawFrameInput, { kind: 'CANCEL', id: s.id(0) });
    await s.peer.next('ERROR');
    await s.peer.paced(long.slice(1));
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 1);
  });

  it('crossing: a long answer to a call that has settled is dropped and counted, and its credit of the pipe is returned', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 2; n++) {
      const sent = s.client.echo(tag(n), { timeout: 500 });
      const { id } = await s.peer.next('REQUEST');
      s.clock.advance(501);
      await failure(t, sent);
      await s.peer.next('CANCEL');
      await s.peer.paced(packets({ kind: 'RESPONSE', id }, body(300 * KiB)));
      await s.seen.reaches('lateReply', n + 1);
      await s.peer.barrier();
    }
  });

  it('crossing: an ERROR in the middle of a long answer fails the call', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 3; n++) {
      const sent = failure(t, s.client.echo(tag(n)));
      const { id } = await s.peer.next('REQUEST');
      s.peer.send(packets({ kind: 'RESPONSE', id }, body(300 * KiB))[0] as RawFrameInput, {
        kind: 'ERROR',
        id,
        code: 10,
      });
      t.is((await sent).code, 'aborted');
    }
  });

  it('crossing: items of a download that its reader has left are dropped, and the call continues to its end', async (t, up) => {
    const s = await up({ options: { limits: { credit: { stream: 1_000 } } } });
    const items = await s.client.feed(tag(1));
    const { id } = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'ITEM', id, payload: tag(1) });
    for await (const _ of items) break;
    t.is((await s.peer.next('CANCEL')).id, id);
    s.peer.send({ kind: 'ITEM', id, payload: body(900) }, { kind: 'ERROR', id, code: 1 });
    await s.peer.barrier();
    t.is(s.seen.counted('unknownAnswer'), 0);
    const again = s.client.echo(tag(2));
    const asked = await s.peer.next('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: tag(2) });
    t.is(untag(await again), 2);
  });

  it('crossing: CANCEL withdraws an answer that waits for credit', async (t, up) => {
    const s = await up({ hello: { limits: { pipe: 1 } } });
    s.peer.returnPipe = false;
    s.peer.send(request(s.id(0), tag(0)), request(s.id(1), tag(1)));
    const rpcs = [await s.call('echo'), await s.call('echo')];
    for (const rpc of rpcs) rpc.respond(body(100 * KiB));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(0));
    s.peer.send({ kind: 'CANCEL', id: s.id(1) });
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 1 });
    s.peer.grant(1, 1024 * KiB);
    await s.peer.barrier();
    t.is(s.peer.count('RESPONSE'), 1);
    s.peer.send(request(s.id(2), tag(2)));
    (await s.call('echo')).respond(body(70 * KiB));
    await s.peer.message('RESPONSE', (frame) => frame.id === s.id(2));
  });

  it('crossing: the deadline withdraws an answer that waits for credit', async (t, up) => {
    const s = await up({ hello: { limits: { pipe: 1 } } });
    s.peer.returnPipe = false;
    s.peer.send(request(s.id(0), tag(0)), request(s.id(1), tag(1), { timeout: 2_000 }));
    const rpcs = [await s.call('echo'), await s.call('echo')];
    for (const rpc of rpcs) rpc.respond(body(100 * KiB));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(0));
    await s.peer.barrier();
    s.clock.advance(2_001);
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 4 });
  });

  it('crossing: a caller breaks off a long request that has begun with CANCEL, and keeps its id until the terminal', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    const control = new AbortController();
    const sent = failure(t, s.client.echo(body(1024 * KiB), { signal: control.signal }));
    const { id } = await s.peer.next('REQUEST');
    await s.peer.arrived(3, 'PART');
    control.abort();
    t.is((await sent).code, 'cancelled');
    t.is((await s.peer.next('CANCEL')).id, id);
    s.peer.grant(1, 1024 * KiB);
    await s.peer.barrier();
    t.is(s.peer.count('PART'), 3, 'no packet follows CANCEL');
    s.peer.send({ kind: 'ERROR', id, code: 1 });
    await s.peer.barrier();
    t.is(s.seen.counted('unknownAnswer'), 0);
  });

  it('crossing: both ends may send GO_AWAY at once', async (t, up) => {
    const s = await up();
    s.peer.send({ kind: 'GO_AWAY', code: 14, reason: 1 });
    const gone = s.transport.disconnect(s.remote);
    await s.peer.next('GO_AWAY');
    await s.peer.expectClosed();
    await gone;
    t.is(s.peer.count('GO_AWAY'), 1);
  });
}
