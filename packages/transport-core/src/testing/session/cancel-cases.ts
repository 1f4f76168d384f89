// Cases of docs/wire-protocol.md §4: CANCEL, ERROR, and deadlines that travel with a call. Numbers
// of error codes, channels and fields are those of the wire; `Counter` in core lists the counters.

import { TransportError } from '@trunkline/transport-core';
import { concat, delimited, encodeBody, field } from '@trunkline/transport-testkit/internal';
import { failure, gets, type Suite } from './checks.ts';
import { body, hint, KiB, packets, request, tag } from './frames.ts';

export function cancelCases({ test, it, open }: Suite): void {
  it('cancel: the callee answers CANCEL with ERROR at once, and `respond` of its handler returns false', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0)));
    const rpc = await s.call('echo');
    const aborted = new Promise((resolve) =>
      rpc.signal.addEventListener('abort', resolve, { once: true }),
    );
    s.peer.send({ kind: 'CANCEL', id: s.id(0) });
    await gets(t, s.peer, 'ERROR', { id: s.id(0), code: 1 });
    await aborted;
    t.false(rpc.respond(Uint8Array.of(1)));
    await s.seen.reaches('lateAnswer', 1);
    await s.peer.barrier();
    t.is(s.peer.count('RESPONSE') + s.peer.count('ERROR'), 1);
  });

  it('cancel: a call that is still queued for a reader is removed from the queue', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), [1]), { kind: 'CANCEL', id: s.id(0) }, request(s.id(1), [2]));
    t.is((await s.peer.next('ERROR')).id, s.id(0));
    const rpc = await s.call('echo');
    t.deepEqual(rpc.request, Uint8Array.of(2));
    rpc.respond(rpc.request);
    await s.peer.next('RESPONSE');
  });

  it('cancel: at the deadline the callee sends ERROR deadline_exceeded, whether a handler has the call or not', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), [1], { timeout: 700 }), request(s.id(1), [2], { timeout: 900 }));
    await s.peer.barrier();
    const rpc = await s.call('echo');
    t.is(rpc.deadline, s.clock.now() + 700);
    s.clock.advance(699);
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 0);
    s.clock.advance(2);
    await gets(t, s.peer, 'ERROR', { id: s.id(0), code: 4 });
    t.true(rpc.signal.aborted);
    t.false(rpc.respond(Uint8Array.of(1)));
    s.clock.advance(200);
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 4 });
  });

  it('cancel: the callee counts the deadline of a long request from its first packet', async (t, up) => {
    const s = await up();
    const frames = packets(request(s.id(0), [], { timeout: 1_000 }), body(130 * KiB));
    const began = s.clock.now();
    s.peer.send(frames[0] as never);
    await s.peer.barrier();
    s.clock.advance(400);
    s.peer.send(...frames.slice(1));
    const rpc = await s.call('echo');
    t.is(rpc.deadline, began + 1_000);
    rpc.respond(Uint8Array.of(1));
    await s.peer.next('RESPONSE');
  });

  it('cancel: CANCEL breaks off a long request or a long one-way', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), []), body(200 * KiB));
    s.peer.send(...long.slice(0, 2), { kind: 'CANCEL', id: s.id(0) });
    t.is((await s.peer.next('ERROR')).code, 1);
    const oneway = hint([], { id: s.id(1) });
    s.peer.send(...packets(oneway, body(200 * KiB)).slice(0, 2), { kind: 'CANCEL', id: s.id(1) });
    // A one-way gets no answer, so its id is free as soon as it is canceled.
    s.peer.send(...packets(oneway, body(100 * KiB, 5)));
    t.deepEqual(
      (await s.call('hint')).request,
      body(100 * KiB, 5),
      'the canceled one-way is not delivered',
    );
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 1);
  });

  it('cancel: the timeout on the wire is the time that is left when the frame is encoded, rounded up', async (t, up) => {
    const s = await up({ hello: { limits: { calls: 1 } } });
    const first = s.client.echo(tag(0), { timeout: 60_000 });
    const waits = s.client.echo(tag(1), { timeout: 1_000.5 });
    const none = s.client.echo(tag(2), { timeout: Number.POSITIVE_INFINITY });
    const asked = await gets(t, s.peer, 'REQUEST', { timeout: 60_000 });
    s.clock.advance(400.25);
    s.peer.send({ kind: 'RESPONSE', id: asked.id });
    const late = await gets(t, s.peer, 'REQUEST', { timeout: 601 });
    s.peer.send({ kind: 'RESPONSE', id: late.id });
    const endless = await gets(t, s.peer, 'REQUEST', { timeout: 0 });
    s.peer.send({ kind: 'RESPONSE', id: endless.id });
    await Promise.all([first, waits, none]);
  });

  it('cancel: the timeout on the wire does not grow by the silence before the call', async (t, up) => {
    const s = await up();
    s.clock.advance(8_000);
    s.client.echo(tag(1), { timeout: 1_000 }).catch(() => {});
    await gets(t, s.peer, 'REQUEST', { timeout: 1_000 });
  });

  test('cancel: the time for dialing and the hello is subtracted from the timeout', async (t) => {
    const on = await open(t);
    const listener = await on.listen();
    const sent = on.transport.send(listener.address, 'echo', tag(1), { timeout: 2_000 });
    const peer = await listener.next();
    await peer.preamble();
    on.clock.advance(750);
    await peer.handshake();
    const asked = await gets(t, peer, 'REQUEST', { timeout: 1_250 });
    peer.send({ kind: 'RESPONSE', id: asked.id });
    await sent;
  });

  it('cancel: a streaming call sends its own timeout, or 0 if it only has a default timeout', async (t, up) => {
    const s = await up({ options: { timeout: 5_000 } });
    await s.client.feed(tag(1), { timeout: 3_000 });
    t.is((await s.peer.next('REQUEST')).timeout, 3_000);
    await s.client.feed(tag(1));
    t.is((await s.peer.next('REQUEST')).timeout, 0);
    s.client.echo(tag(1)).catch(() => {});
    t.is((await s.peer.next('REQUEST', (frame) => frame.method === 1)).timeout, 5_000);
  });

  const codes =
    'cancelled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable data_loss unauthenticated'.split(
      ' ',
    );
  it("cancel: ERROR codes are gRPC's 1 to 16 in both directions; unknown numbers are read as unknown, and shutdown is sent as 14", async (t, up) => {
    const s = await up();
    for (const [at, name] of [...codes, 'unknown', 'unknown'].entries()) {
      // 0 and 4,000 are unknown numbers.
      const number = at < 16 ? at + 1 : at === 16 ? 0 : 4_000;
      const sent = s.client.echo(tag(at));
      const { id } = await s.peer.next('REQUEST');
      const metadata = { leader: 'n2' };
      s.peer.send({ kind: 'ERROR', id, code: number, text: `no ${number}`, metadata });
      const error = await failure(t, sent, {
        code: name as 'unknown',
        origin: 'remote',
        sent: true,
      });
      t.deepEqual({ ...error.metadata } as object, metadata);
      t.regex(error.message, new RegExp(`no ${number}`));
      s.peer.send(request(s.id(at)));
      (await s.call('echo')).fail(
        new TransportError((at === 17 ? 'shutdown' : name) as 'unknown', `from here: ${at}`, {
          metadata: { a: 'b' },
        }),
      );
      const sentBack = await gets(t, s.peer, 'ERROR', {
        code: at === 17 ? 14 : at === 16 ? 2 : number,
        text: `from here: ${at}`,
        flags: 0,
      });
      t.deepEqual(sentBack.metadata, { a: 'b' });
    }
  });

  it('cancel: error texts are cut to 1 KiB at a code point, and of a foreign error only the message is sent', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0)), request(s.id(1)));
    (await s.call('echo')).fail(new TransportError('aborted', `x${'🙂'.repeat(300)}`));
    const long = await s.peer.next('ERROR');
    const size = new TextEncoder().encode(long.text).length;
    t.true(size <= 1_024 && size >= 1_000, `${size} bytes`);
    t.is(long.text, `x${'🙂'.repeat(255)}`.slice(0, long.text.length));
    t.false(long.text.includes('\ufffd'));
    (await s.call('echo')).fail(new Error('it broke', { cause: 'a secret' }));
    const foreign = await gets(t, s.peer, 'ERROR', { code: 13, text: 'it broke' });
    t.deepEqual(foreign.metadata, {});
  });

  it('cancel: bytes of an error text that are not UTF-8 are replaced', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(tag(1));
    const { id } = await s.peer.next('REQUEST');
    s.peer.bytes(
      delimited(
        concat([
          encodeBody({ kind: 'ERROR', id, code: 5 }),
          // The text of ERROR: field 10, length-delimited, 4 bytes.
          field(10, 2, [4], [0x61, 0xff, 0xc0, 0x62]),
        ]),
      ),
    );
    t.regex((await failure(t, sent)).message, /a\ufffd+b/);
  });
}
