// Cases of docs/wire-protocol.md §6: the credit that the transport charges and returns to a peer on
// its own accounts, to the byte.

import {
  concat,
  cost,
  encodeRawFrame,
  type RawFrameInput,
} from '@trunkline/transport-testkit/internal';
import type { Suite } from './checks.ts';
import { body, hint, KiB, MiB, PACKET, packets, request, tag } from './frames.ts';
import type { SessionFixture } from './session-fixture.ts';

export function receiverCreditCases({ it, violates }: Suite): void {
  it('granting: credit of messages that the reader has finished is returned within 100 ms, though more messages wait', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 5; n++) s.peer.send(hint(body(100, n)));
    s.peer.send(...packets({ ...hint(), id: s.id(0) }, body(100 * KiB)), hint(body(100)));
    await s.peer.barrier();
    for (let n = 0; n < 3; n++) await s.call('hint');
    s.clock.advance(99);
    await s.peer.barrier();
    t.is(s.peer.log.filter((frame) => frame.kind === 'CREDIT' && frame.account === 2).length, 0);
    s.clock.advance(1);
    const { channel, credit, size } = await s.peer.next('CREDIT', (frame) => frame.account === 2);
    t.deepEqual(
      [channel, credit, size],
      [0x20, 2 * 1_124, 2],
      'the reader has not asked for another message after the third',
    );
    for (let n = 0; n < 4; n++) await s.call('hint');
    s.clock.advance(100);
    const rest = await s.peer.next('CREDIT', (frame) => frame.account === 2);
    t.deepEqual([rest.credit, rest.size], [3 * 1_124 + 100 * KiB + 1_024, 4]);
  });

  it('granting: the pipe gets back exactly the cost of a packet, including its metadata and 64 bytes', async (t, up) => {
    const s = await up({ options: { limits: { credit: { pipe: 1 } } } });
    const frames = packets(request(s.id(0), [], { metadata: { ключ: 'v' } }), body(200 * KiB));
    let spent = 0;
    for (const frame of frames) {
      await s.peer.paced([frame]);
      spent += cost(frame);
      await s.peer.barrier();
      t.is(granted(s, 1), spent);
    }
    t.is(spent, 200 * KiB + 4 * 64 + 9);
  });

  violates(
    'granting: a packet without credit of the pipe',
    // In one chunk, so that no credit is given back between the packets.
    ({ peer, id }) =>
      peer.bytes(concat(packets(request(id(0), []), body(8_000), 4_096).map(encodeRawFrame))),
    {
      options: { limits: { packet: 4_096, credit: { pipe: 1_000 } } },
    },
  );

  it('granting: credit of short one-ways is returned within 100 ms after the consumer asks for another', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 7_000 } } } });
    for (let n = 0; n < 7; n++)
      s.peer.send(hint(body(100), { metadata: n === 0 ? { ab: 'c' } : {} }));
    await s.peer.barrier();
    t.is(granted(s, 2), 0, 'no message has been taken');
    for (let n = 0; n < 7; n++) await s.call('hint');
    const waits = s.call('hint');
    s.clock.advance(100);
    await back(s, 2, 7 * 1_124 + 3);
    t.true(
      s.peer.log
        .filter((frame) => frame.kind === 'CREDIT' && frame.account === 2)
        .every((frame) => frame.channel === 0x20),
    );
    s.peer.send(hint([1]));
    await waits;
  });

  violates(
    'granting: a short one-way without credit',
    async ({ peer }) => {
      for (let n = 0; n < 7; n++) peer.send(hint(body(100)));
      await peer.barrier();
      peer.send(hint([1]));
    },
    { options: { limits: { credit: { inbox: 7_000 } } } },
  );

  it('granting: credit of a long message, its whole size and 64 or 1,024, is returned when the consumer takes the request, or asks for another after a one-way', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 1_000 } } } });
    s.peer.send(...packets(request(s.id(0), [], { metadata: { k: 'v' } }), body(100 * KiB)));
    await s.peer.barrier();
    t.is(granted(s, 2), 0);
    const rpc = await s.call('echo');
    await back(s, 2, 100 * KiB + 64 + 2);
    rpc.respond(tag(1));
    await s.peer.next('RESPONSE');
    s.peer.send(...packets({ ...hint(), id: s.id(1) }, body(70 * KiB)));
    await s.call('hint');
    const waits = s.call('hint');
    await back(s, 2, 170 * KiB + 66 + 1_024);
    s.peer.send(hint([1]));
    await waits;
  });

  violates(
    'granting: a long request without credit',
    ({ peer, id }) =>
      peer.send(
        ...packets(request(id(0), []), body(65 * KiB)),
        ...packets(request(id(1), []), body(65 * KiB)),
      ),
    { options: { limits: { credit: { inbox: 1_000 } } } },
  );

  it('granting: long answers cost only credit of the pipe, even if more than 16 MiB of them begin', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 5; n++) {
      s.client.echo(tag(n)).catch(() => {});
      const { id } = await s.peer.next('REQUEST');
      await s.peer.paced([{ kind: 'RESPONSE', id, size: 4 * MiB, payload: body(PACKET, n) }]);
    }
    await s.peer.barrier();
    t.false(s.peer.closed);
    t.true(s.peer.log.every((frame) => frame.kind !== 'CREDIT' || frame.account === 1));
  });

  it('granting: credit of account 3 is returned as the reader takes items, and none of it after END', async (t, up) => {
    const s = await up({ options: { limits: { credit: { stream: 1_000 } } } });
    const items = (await s.client.feed(tag(1)))[Symbol.asyncIterator]();
    const { id } = await s.peer.next('REQUEST');
    for (let n = 0; n < 7; n++) s.peer.send({ kind: 'ITEM', id, payload: body(100) });
    await s.peer.barrier();
    t.is(granted(s, 3), 0, 'a stream that is not read stops itself');
    for (let n = 0; n < 7; n++) await items.next();
    const waits = items.next();
    await back(s, 3, 7 * 164);
    t.true(
      s.peer.log
        .filter((frame) => frame.kind === 'CREDIT' && frame.account === 3)
        .every((frame) => frame.id === id),
    );
    const last: RawFrameInput[] = Array.from({ length: 5 }, () => ({
      kind: 'ITEM',
      id,
      payload: body(100),
    }));
    s.peer.send(...last, { kind: 'END', id });
    await waits;
    await s.peer.barrier();
    const before = granted(s, 3);
    for (let n = 1; n < 5; n++) t.false((await items.next()).done);
    t.true((await items.next()).done);
    await s.peer.barrier();
    t.is(granted(s, 3), before);
  });

  violates(
    'granting: an item without credit of its stream',
    async ({ peer, client }) => {
      (await client.feed(tag(1)))
        [Symbol.asyncIterator]()
        .next()
        .catch(() => {});
      const { id } = await peer.next('REQUEST');
      for (let n = 0; n < 12; n++) peer.send({ kind: 'ITEM', id, payload: body(1_000) });
    },
    { options: { limits: { credit: { stream: 900 } } } },
  );

  const wrong: [string, Partial<RawFrameInput>][] = [
    ['0', { account: 1 }],
    ['of account 0', { credit: 5 }],
    ['of account 4', { account: 4, credit: 5 }],
    ['with more one-ways than were sent', { account: 2, channel: 0x20, credit: 5, size: 1 }],
    ['that lifts the pipe above 2^31 − 1', { account: 1, credit: 0x7fff_ffff }],
  ];
  for (const [what, changes] of wrong)
    violates(`granting: CREDIT ${what}`, ({ peer }) => peer.send({ kind: 'CREDIT', ...changes }));

  it('granting: CREDIT for a call that has ended is ignored, however often it comes', async (t, up) => {
    const s = await up();
    for (let n = 0; n < 5_000; n++) s.peer.grant(3, 100, { id: s.id(n) - (n % 2) });
    await s.peer.barrier();
    t.false(s.peer.closed);
  });
}

/** Returns the credit that has been given back to an account so far. */
export function granted(s: SessionFixture, account: number): number {
  return s.peer.log.reduce(
    (sum, frame) => sum + (frame.kind === 'CREDIT' && frame.account === account ? frame.credit : 0),
    0,
  );
}

/** Resolves when exactly `amount` has been given back to an account; rejects if it is more. */
async function back(s: SessionFixture, account: number, amount: number): Promise<void> {
  while (granted(s, account) < amount)
    await s.peer.next('CREDIT', (frame) => frame.account === account);
  if (granted(s, account) > amount)
    throw new Error(`${granted(s, account)} came back to account ${account}, not ${amount}`);
}
