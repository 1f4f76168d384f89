// Cases of docs/wire-protocol.md §4, ids and responses: each request has exactly one end.

import { failure, type Suite } from './checks.ts';
import { body, hint, KiB, PACKET, packets, request, tag, untag } from './frames.ts';

export function callCases({ it }: Suite): void {
  it('calls: ids of outgoing calls have the parity of this side, no two open calls share one, and answers may come in any order', async (t, up, role) => {
    const s = await up();
    const sent = Array.from({ length: 100 }, (_, n) => s.client.echo(tag(n)));
    const ids = new Set<number>();
    for (let n = 0; n < 100; n++) {
      const { id } = await s.peer.next('REQUEST');
      t.is(id & 1, role === 'dialer' ? 1 : 0);
      t.true(id >= 1);
      ids.add(id);
    }
    t.is(ids.size, 100);
    for (const frame of [...s.peer.log].reverse())
      if (frame.kind === 'REQUEST')
        s.peer.send({ kind: 'RESPONSE', id: frame.id, payload: frame.payload });
    t.deepEqual(
      (await Promise.all(sent)).map(untag),
      Array.from({ length: 100 }, (_, n) => n),
    );
  });

  it('calls: an id is not reused before its terminal frame was read, even if the call has settled', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(0), { timeout: 1_000 });
    const first = await s.peer.next('REQUEST');
    s.clock.advance(1_001);
    await failure(t, sent, { code: 'deadline_exceeded', sent: true });
    t.is((await s.peer.next('CANCEL')).id, first.id);
    const others = Array.from({ length: 50 }, (_, n) => s.client.echo(tag(n)));
    for (let n = 0; n < 50; n++) {
      const { id } = await s.peer.next('REQUEST');
      if (id === first.id) t.fail('the id was used again before its terminal');
      s.peer.send({ kind: 'RESPONSE', id });
    }
    await Promise.all(others);
    s.peer.send({ kind: 'ERROR', id: first.id, code: 1 });
    await s.peer.barrier();
    t.is(s.seen.counted('unknownAnswer'), 0);
  });

  it('calls: the id of a long one-way is free once its last PART is sent', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 3; n++) {
      s.peer.send(
        ...packets({ kind: 'ONEWAY', id: s.id(0), channel: 0x20, method: 2 }, body(100 * KiB, n)),
      );
      t.deepEqual((await s.call('hint')).request, body(100 * KiB, n));
    }
  });

  it('calls: a REQUEST with the id of an open call is dropped and counted, and the first one is answered', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), [1]), request(s.id(0), [2]));
    const rpc = await s.call('echo');
    t.deepEqual(rpc.request, Uint8Array.of(1));
    await s.seen.reaches('duplicateRequest', 1);
    rpc.respond(rpc.request);
    t.deepEqual((await s.peer.next('RESPONSE')).payload, Uint8Array.of(1));
    await s.peer.barrier();
    t.is(s.peer.count('RESPONSE') + s.peer.count('ERROR'), 1);
  });

  it('calls: a second answer is dropped and counted, and the call settles once', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    const { id } = await s.peer.next('REQUEST');
    s.peer.send(
      { kind: 'RESPONSE', id, payload: tag(1) },
      { kind: 'RESPONSE', id, payload: tag(2) },
      { kind: 'ERROR', id, code: 13 },
    );
    t.is(untag(await sent), 1);
    await s.seen.reaches('unknownAnswer', 2);
    await s.peer.barrier();
  });

  it('calls: an answer after the deadline is dropped and counted as late, and its id is free', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1), { timeout: 500 });
    const { id } = await s.peer.next('REQUEST');
    s.clock.advance(501);
    await failure(t, sent);
    await s.peer.next('CANCEL');
    s.peer.send({ kind: 'RESPONSE', id, payload: tag(1) });
    await s.seen.reaches('lateReply', 1);
    t.is(s.seen.counted('unknownAnswer'), 0);
    s.peer.send({ kind: 'RESPONSE', id, payload: tag(1) });
    await s.seen.reaches('unknownAnswer', 1);
  });

  it('calls: a one-way gets no reply, whatever happens to it', async (t, up) => {
    const s = await up();
    s.peer.send(
      hint([1]),
      hint([2]),
      hint([3], { method: 77 }),
      hint([4], { channel: 0x77 }),
      hint([5], { method: 1 }),
    );
    const first = await s.call('hint');
    const second = await s.call('hint');
    t.deepEqual([...first.request, ...second.request], [1, 2]);
    t.false(first.fail(new Error('nobody receives this error')));
    await s.seen.reaches('onewayDropped', 3);
    await s.peer.barrier();
    t.is(s.peer.count('ERROR') + s.peer.count('RESPONSE'), 0);
  });

  it('calls: a message of exactly one packet is short, and one with a byte more is long', async (t, up) => {
    const s = await up();
    const sent = [PACKET, PACKET + 1].map((size) => s.client.echo(body(size)));
    const short = await s.peer.next('REQUEST', (frame) => frame.size === 0);
    t.is(short.payload.length, PACKET);
    const long = await s.peer.next('REQUEST', (frame) => frame.size > 0);
    t.is(long.size, PACKET + 1);
    t.is(long.payload.length, PACKET);
    const part = await s.peer.next('PART');
    t.is(part.payload.length, 1);
    for (const { id } of [short, long]) s.peer.send({ kind: 'RESPONSE', id });
    await Promise.all(sent);
  });
}
