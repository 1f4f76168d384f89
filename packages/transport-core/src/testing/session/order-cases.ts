// Cases of docs/wire-protocol.md §7, order and priority.

import type { RawFrame } from '@trunkline/transport-testkit/internal';
import type { Suite } from './checks.ts';
import { body, huge, KiB, lineProtocol, request, tag, untag } from './frames.ts';

export function orderCases({ it }: Suite): void {
  it('order: short messages of a channel are sent in the order of their calls, whatever their kind', async (t, up) => {
    const s = await up();
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < 60; n++) {
      if (n % 3 === 0) sent.push(s.client.echo(tag(n)));
      else if (n % 3 === 1) sent.push(s.client.hint(tag(n)));
      else t.true(s.transport.trySend(s.remote, 'hint', tag(n)));
    }
    for (let n = 0; n < 20; n++) {
      const { id } = await s.peer.next('REQUEST');
      s.peer.send({ kind: 'RESPONSE', id });
    }
    await Promise.all(sent);
    await s.peer.next('ONEWAY', (frame) => untag(frame.payload) === 59);
    t.deepEqual(
      shortOf(s.peer.log).map((frame) => untag(frame.payload)),
      Array.from({ length: 60 }, (_, n) => n),
    );
  });

  it('order: a one-way that waits for credit blocks only the messages of its channel that are short or need credit', async (t, up) => {
    const s = await up({ side: true, hello: { limits: { inbox: 1 } } });
    await s.client.hint(tag(1));
    const waits = s.client.hint(tag(2));
    const behind = s.client.echo(tag(3));
    t.false(s.transport.trySend(s.remote, 'hint', tag(4)));
    const bulk = s.client.echo(body(100 * KiB));
    const beside = s.side.send(s.remote, 'echo', tag(5));
    s.peer.send(request(s.id(0), tag(6)));
    (await s.call('echo')).respond(tag(6));
    await s.peer.next('RESPONSE');
    const other = await s.peer.next('REQUEST', (frame) => frame.channel === 0x21);
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 1, 'short messages behind it wait, too');
    s.peer.grant(2, 1_026, { channel: 0x20 });
    await waits;
    const short = await s.peer.next('REQUEST');
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 2, 'the long one waits for credit');
    s.peer.grant(2, 1_026, { channel: 0x20 });
    const long = await s.peer.message('REQUEST', (frame) => frame.size > 0);
    t.is(untag(short.payload), 3);
    const seen = shortOf(s.peer.log).filter((frame) => frame.channel === 0x20);
    t.is(seen.map((frame) => untag(frame.payload)).join(), '1,2,3');
    for (const { id } of [long, other, short]) s.peer.send({ kind: 'RESPONSE', id });
    await Promise.all([behind, bulk, beside]);
  });

  for (const where of ['the same channel', 'another channel'] as const) {
    it(`order: a 64-byte call never waits behind a 64 MiB one on ${where}`, async (t, up) => {
      const s = await up({ side: true });
      s.peer.returnPipe = false;
      const big = s.client.echo(huge(), { timeout: 3_600_000 });
      const first = await s.peer.next('REQUEST', (frame) => frame.size > 0);
      const around = [];
      for (let n = 0; n < 6; n++) {
        // Half of the calls find the pipe empty; the other half find eight packets in flight.
        if (n % 2 === 1) s.peer.grant(1, 8 * (64 * KiB + 64));
        const before = s.peer.count('PART');
        const small =
          where === 'the same channel'
            ? s.client.echo(body(64, n))
            : s.side.send(s.remote, 'echo', body(64, n));
        const asked = await s.peer.next('REQUEST', (frame) => frame.size === 0);
        around.push(
          s.peer.log.slice(0, s.peer.log.indexOf(asked)).filter((frame) => frame.kind === 'PART')
            .length - before,
        );
        s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: asked.payload });
        t.deepEqual(await small, body(64, n));
      }
      t.true(Math.max(...around) <= 8, `packets that were sent before it: ${around}`);
      t.true(s.peer.count('PART') < 50, 'the large message was still being sent');
      s.peer.send({ kind: 'ERROR', id: first.id, code: 10 });
      await big.catch(() => {});
    });
  }

  it('order: an `ordered` protocol delivers long and short messages in the order in which they were sent', async (t, up) => {
    const s = await up();
    const mounted = s.transport.mount(lineProtocol);
    const sizes = [10, 200 * KiB, 20, 100 * KiB, 30];
    const sent = sizes.map((size) => mounted.send(s.remote, 'hint', body(size)));
    await Promise.all(sent);
    await s.peer.next('ONEWAY', (frame) => frame.payload.length === 30);
    t.deepEqual(
      s.peer.log
        .filter((frame) => frame.kind === 'ONEWAY')
        .map((frame) => frame.size || frame.payload.length),
      sizes,
    );
    for (const [at, frame] of s.peer.log.entries()) {
      if (frame.kind !== 'ONEWAY' || frame.size === 0) continue;
      const rest = s.peer.log
        .slice(at + 1)
        .filter((one) => one.kind === 'PART' || one.kind === 'ONEWAY');
      let got = frame.payload.length;
      for (const part of rest) {
        if (got >= frame.size) break;
        t.is(part.kind, 'PART', 'nothing overtakes the long message');
        got += part.payload.length;
      }
    }
  });

  it('order: CANCEL stays behind its REQUEST', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 50; n++) {
      const control = new AbortController();
      const sent = s.client.echo(tag(n), { signal: control.signal });
      control.abort();
      await sent.catch(() => {});
    }
    await s.peer.barrier();
    const open = new Set<number>();
    for (const frame of s.peer.log) {
      if (frame.kind === 'REQUEST') open.add(frame.id);
      if (frame.kind === 'CANCEL') t.true(open.has(frame.id));
    }
    t.is(
      s.peer.count('CANCEL'),
      s.peer.count('REQUEST'),
      'a call that was never sent needs no CANCEL',
    );
  });
}

function shortOf(log: readonly RawFrame[]): RawFrame[] {
  return log.filter(
    (frame) => (frame.kind === 'REQUEST' || frame.kind === 'ONEWAY') && frame.size === 0,
  );
}
