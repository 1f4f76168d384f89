// Cases of docs/wire-protocol.md §7, order and priority.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import type { RawFrame } from '@trunkline/transport-testkit/internal';
import type { Suite } from './checks.ts';
import { body, hint, huge, KiB, MiB, packets, request, tag, untag } from './frames.ts';

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

  it('order: short messages are delivered in the order of their arrival, whatever their kind', async (t, up) => {
    const s = await up();
    const frames = Array.from({ length: 60 }, (_, n) =>
      n % 2 === 0 ? request(s.id(n), tag(n)) : hint(tag(n)),
    );
    s.peer.send(...frames);
    for (let n = 0; n < 60; n++) {
      const rpc = n % 2 === 0 ? await s.call('echo') : await s.call('hint');
      t.is(untag(rpc.request), n);
    }
  });

  it('order: a one-way that waits for credit blocks only the short messages of its channel', async (t, up) => {
    const s = await up({ side: true, hello: { limits: { short: 1 } } });
    await s.client.hint(tag(1));
    const waits = s.client.hint(tag(2));
    const behind = s.client.echo(tag(3));
    t.false(s.transport.trySend(s.remote, 'hint', tag(4)));
    const bulk = s.client.echo(body(100 * KiB));
    const beside = s.side.send(s.remote, 'echo', tag(5));
    s.peer.send(request(s.id(0), tag(6)));
    (await s.call('echo')).respond(tag(6));
    await s.peer.next('RESPONSE');
    const long = await s.peer.message('REQUEST', (frame) => frame.size > 0);
    const other = await s.peer.next('REQUEST', (frame) => frame.channel === 0x21);
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 2, 'short messages behind it wait, too');
    s.peer.grant(2, 66, { channel: 0x20 });
    await waits;
    const short = await s.peer.next('REQUEST');
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

    it(`order: a 64-byte answer never waits behind a 64 MiB one on ${where}`, async (t, up) => {
      const s = await up({
        side: true,
        hello: {
          protocols: [
            { name: 'lab', version: 1, accepts: [], channel: 0x20 },
            { name: 'side', version: 1, accepts: [], channel: 0x21 },
          ],
        },
      });
      const aside = s.side.consumer('echo');
      s.peer.returnPipe = false;
      s.peer.send(request(s.id(0), tag(0)));
      (await s.call('echo')).respond(huge());
      const first = await s.peer.next('RESPONSE', (frame) => frame.size === 64 * MiB);
      await s.peer.arrived(3, 'PART');
      await s.peer.barrier();
      t.is(s.peer.count('PART'), 3, 'the credit of its pipe is used up');
      s.peer.send(
        request(s.id(1), body(64), { channel: where === 'the same channel' ? 0x20 : 0x21 }),
      );
      if (where === 'the same channel') (await s.call('echo')).respond(body(64, 1));
      else (await aside.next()).value.respond(body(64, 1));
      t.deepEqual((await s.peer.next('RESPONSE')).payload, body(64, 1));
      t.is(s.peer.count('PART'), 3);
      s.peer.send({ kind: 'CANCEL', id: first.id });
      await s.peer.next('ERROR');
    });
  }

  it('order: of long messages the oldest goes first, until it has left', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    const sent = [0, 1, 2].map((n) => s.client.echo(body(500 * KiB, n)));
    for (const call of sent) call.catch(() => {});
    await s.peer.next('REQUEST');
    s.peer.grant(1, 20 * (64 * KiB + 64));
    await s.peer.next('PART', () => s.peer.count('PART') + s.peer.count('REQUEST') >= 18);
    const ids = s.peer.log
      .filter((frame) => frame.kind === 'PART' || frame.kind === 'REQUEST')
      .map((frame) => frame.id);
    const all = new Set(ids);
    const runs = ids.filter((id, at) => id !== ids[at - 1]);
    t.deepEqual(runs, [...all], `one message after the other, not ${ids}`);
    t.is(ids.lastIndexOf(runs[0]!), 7, 'the first has left before the second begins');
    for (const id of all) s.peer.send({ kind: 'ERROR', id, code: 10 });
  });

  it('order: channels share a connection in proportion to their priorities', async (t, up) => {
    const vip = defineProtocol({
      name: 'vip',
      version: 1,
      channel: 0x22,
      priority: 30,
      methods: { echo: { id: 1, request: bytes, response: bytes } },
    });
    const s = await up({ hello: { limits: { pipe: 1 } } });
    const mounted = s.transport.mount(vip);
    s.peer.returnPipe = false;
    s.client.echo(body(4 * MiB)).catch(() => {});
    mounted.send(s.remote, 'echo', body(4 * MiB)).catch(() => {});
    await s.peer.next('REQUEST');
    s.peer.grant(1, 40 * (64 * KiB + 64));
    await s.peer.next('PART', () => packetsOf(s.peer.log).length >= 40);
    const channels = new Map(
      s.peer.log
        .filter((frame) => frame.kind === 'REQUEST')
        .map((frame) => [frame.id, frame.channel]),
    );
    const high = packetsOf(s.peer.log).filter((frame) => channels.get(frame.id) === 0x22).length;
    t.true(
      high >= 27 && high <= 33,
      `priority 30 beside 10 gets 3 of 4 packets, not ${high} of 40`,
    );
  });

  it('order: an `ordered` protocol delivers long and short messages in the order in which they were sent', async (t, up) => {
    const line = defineProtocol({
      name: 'line',
      version: 1,
      channel: 0x23,
      ordered: true,
      methods: { hint: { id: 1, request: bytes } },
    });
    const s = await up();
    const mounted = s.transport.mount(line);
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

  it('order: control frames go first: a PING is answered before queued messages are sent', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    s.client.echo(body(MiB)).catch(() => {});
    await s.peer.arrived(3, 'PART');
    s.peer.send({ kind: 'PING', id: 5 });
    await s.peer.next('PONG', (frame) => frame.id === 5);
    t.is(s.peer.count('PART'), 3);
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

  it('order: a message is delivered at its last packet, so a short call may overtake a long one that was sent before it', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), []), body(100 * KiB));
    s.peer.send(long[0] as never, request(s.id(1), tag(1)), long[1] as never);
    t.is(untag((await s.call('echo')).request), 1);
    t.is((await s.call('echo')).request.length, 100 * KiB);
  });
}

function shortOf(log: readonly RawFrame[]): RawFrame[] {
  return log.filter(
    (frame) => (frame.kind === 'REQUEST' || frame.kind === 'ONEWAY') && frame.size === 0,
  );
}

function packetsOf(log: readonly RawFrame[]): RawFrame[] {
  return log.filter((frame) => frame.kind === 'REQUEST' || frame.kind === 'PART');
}
