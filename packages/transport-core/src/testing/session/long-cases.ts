// Cases of docs/wire-protocol.md §6, long messages: sizes, totals, limits and stalls. Account 3
// holds the credit for long requests and one-ways. An ERROR with code 8 (resource_exhausted) and
// flags 1 means that the call was not processed.

import type { RawFrameInput } from '@trunkline/transport-testkit/internal';
import { gets, type Suite } from './checks.ts';
import { body, hint, huge, KiB, PACKET, packets, request, same, tag } from './frames.ts';
import { granted } from './receiver-credit-cases.ts';

export function longCases({ it, violates }: Suite): void {
  const bad = (
    title: string,
    frames: (id: number) => RawFrameInput[],
    setup?: Parameters<typeof violates>[2],
  ) => violates(`long: ${title}`, ({ peer, id }) => peer.send(...frames(id(0))), setup);

  bad('a size equal to the first payload', (id) => [request(id, body(PACKET), { size: PACKET })]);
  bad('a size below the first payload', (id) => [request(id, body(PACKET), { size: 5 })]);
  bad('a size on a message of one short packet', (id) => [request(id, body(10), { size: 10 })]);
  bad('a first packet that is not full', (id) => [request(id, body(1_000), { size: PACKET * 2 })]);
  bad('a payload larger than a packet', (id) => [request(id, body(PACKET + 1))]);
  bad('a first payload larger than a packet', (id) => [
    request(id, body(PACKET + 1), { size: PACKET * 2 }),
  ]);
  bad('a packet in the middle that is not full', (id) => [
    ...packets(request(id, []), body(PACKET * 3)).slice(0, 1),
    { kind: 'PART', id, payload: body(100) },
  ]);
  bad('a PART larger than a packet', (id) => [
    request(id, body(PACKET), { size: PACKET * 2 + 1 }),
    { kind: 'PART', id, payload: body(PACKET + 1) },
  ]);
  bad('a PART larger than a packet, of an unknown message,', (id) => [
    { kind: 'PART', id, payload: body(PACKET + 1) },
  ]);
  bad(
    'a request whose size is above our `message`, before the rest of it arrives,',
    (id) => [request(id, body(PACKET), { size: 1024 * KiB + 1 })],
    NARROW,
  );
  const oneway = (id: number) => [hint(body(PACKET), { id, size: 1024 * KiB + 1 })];
  bad('a one-way above our `message`', oneway, NARROW);
  bad('a size of 2^32 − 1', (id) => [request(id, body(PACKET), { size: 0xffff_ffff })]);
  violates(
    'long: an answer above our `message`',
    async ({ peer, client }) => {
      client.echo(tag(1)).catch(() => {});
      const { id } = await peer.next('REQUEST');
      peer.send({ kind: 'RESPONSE', id, size: 1024 * KiB + 1, payload: body(PACKET) });
    },
    NARROW,
  );
  violates(
    'long: an item above our `item`',
    async ({ peer, client }) => {
      await client.feed(tag(1));
      const { id } = await peer.next('REQUEST');
      peer.send({ kind: 'ITEM', id, payload: body(5_001) });
    },
    { options: { limits: { item: 5_000 } } },
  );

  it('long: a message of exactly `message` bytes is accepted, in both directions', async (t, up) => {
    const s = await up({ options: { limits: { message: 300_000 } } });
    s.peer.send(...packets(request(s.id(0), []), body(200_000)));
    await s.peer.paced(packets(request(s.id(1), []), body(300_000, 3)));
    (await s.call('echo')).respond(tag(1));
    const rpc = await s.call('echo');
    t.deepEqual(rpc.request, body(300_000, 3));
    rpc.respond(body(300_001, 4));
    t.deepEqual(
      (await s.peer.message('RESPONSE', (frame) => frame.id === s.id(1))).payload,
      body(300_001, 4),
      'the peer accepts more',
    );
  });

  it('long: a message of 64 MiB arrives complete', async (t, up) => {
    const s = await up();
    t.timeout(LIMIT, 'the bytes move, but too slowly');
    const whole = huge();
    const sent = s.client.echo(whole, { timeout: 3_600_000 });
    const asked = await s.peer.message('REQUEST');
    t.true(same(asked.payload, whole));
    await s.peer.paced(packets({ kind: 'RESPONSE', id: asked.id }, whole));
    t.true(same(await sent, whole));
  });

  it('long: a sender may interleave the packets of several messages in any way', async (t, up) => {
    const s = await up();
    const messages = [0, 1, 2].map((n) => packets(request(s.id(n), []), body(150 * KiB, n)));
    const mixed = [0, 1, 2].flatMap((at) => messages.map((frames) => frames[at] as RawFrameInput));
    await s.peer.paced(mixed);
    for (const n of [0, 1, 2]) {
      const rpc = await s.call('echo');
      t.deepEqual(rpc.request, body(150 * KiB, n));
      rpc.respond(tag(n));
    }
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(2));
  });

  it('long: short messages may be sent between the packets of a long one', async (t, up) => {
    const s = await up();
    const long = packets(request(s.id(0), []), body(150 * KiB));
    s.peer.send(
      long[0] as RawFrameInput,
      hint([1]),
      request(s.id(1), [2]),
      long[1] as RawFrameInput,
      hint([3]),
      long[2] as RawFrameInput,
    );
    t.deepEqual((await s.call('hint')).request, Uint8Array.of(1));
    t.deepEqual((await s.call('echo')).request, Uint8Array.of(2));
    t.deepEqual((await s.call('hint')).request, Uint8Array.of(3));
    t.is((await s.call('echo')).request.length, 150 * KiB);
  });

  it('long: a request whose packets stop fails after 10 s with an ERROR, and its memory is freed', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 1_000 } } } });
    s.peer.send(packets(request(s.id(0), []), body(200 * KiB))[0] as RawFrameInput);
    await s.peer.barrier();
    const began = s.clock.now();
    s.clock.advance(9_900);
    await s.peer.barrier();
    t.is(s.peer.count('ERROR'), 0);
    await s.until(s.peer.next('ERROR', (frame) => frame.id === s.id(0)));
    t.true(s.clock.now() < began + 12_000);
    await s.peer.barrier();
    t.is(granted(s, 2), 200 * KiB + 64);
  });

  it('long: a request that is canceled while it waits for a reader gives back its credit', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 1_000 } } } });
    s.peer.send(...(packets(request(s.id(0), []), body(200 * KiB)) as RawFrameInput[]));
    await s.peer.barrier();
    s.peer.send({ kind: 'CANCEL', id: s.id(0) });
    await s.peer.barrier();
    t.is(granted(s, 2), 200 * KiB + 64);
  });

  it('long: a one-way whose packets stop is counted, and its credit is returned', async (t, up) => {
    const s = await up({ options: { limits: { credit: { inbox: 1_000 } } } });
    s.peer.send(packets({ ...hint(), id: s.id(0) }, body(200 * KiB))[0] as RawFrameInput);
    await s.peer.barrier();
    await s.until(s.seen.reaches('onewayDropped', 1));
    await s.peer.barrier();
    t.is(granted(s, 2), 200 * KiB + 1_024);
    t.is(s.peer.count('ERROR'), 0);
  });

  it('long: a message that waits while other packets arrive is kept', async (t, up) => {
    const s = await up();
    const slow = packets(request(s.id(0), []), body(100 * KiB));
    const other = packets(request(s.id(1), []), body(300 * KiB));
    s.peer.send(slow[0] as RawFrameInput);
    for (const frame of other.slice(0, 4)) {
      await s.peer.paced([frame]);
      await s.peer.barrier();
      s.clock.advance(6_000);
    }
    s.peer.send(slow[1] as RawFrameInput);
    t.is((await s.call('echo')).request.length, 100 * KiB);
    t.is(s.peer.count('ERROR'), 0);
  });

  it('long: beyond `limits.memory` long requests are refused, unprocessed, and short ones are not', async (t, up) => {
    const s = await up({ options: { limits: { memory: 300 * KiB } } });
    const long = (n: number) => packets(request(s.id(n), []), body(200 * KiB));
    s.peer.send(...long(0), long(1)[0] as RawFrameInput, request(s.id(2), [5]));
    await gets(t, s.peer, 'ERROR', { id: s.id(1), code: 8, flags: 1 });
    const first = await s.call('echo');
    t.is(first.request.length, 200 * KiB);
    t.deepEqual((await s.call('echo')).request, Uint8Array.of(5));
    s.peer.send(long(3)[0] as RawFrameInput);
    await s.peer.next('ERROR', (frame) => frame.id === s.id(3) && frame.code === 8);
    first.respond(tag(1));
    await s.peer.next('RESPONSE');
    s.peer.send(...long(4));
    t.is(
      (await s.call('echo')).request.length,
      200 * KiB,
      'the memory of answered requests is free again',
    );
  });
}

const NARROW = { options: { limits: { message: 1024 * KiB } } };

/**
 * The time limit for 128 MiB, in milliseconds of real time: over WebRTC, a busy machine may carry
 * less than 1 MiB per second.
 */
const LIMIT = 5 * 60_000;
