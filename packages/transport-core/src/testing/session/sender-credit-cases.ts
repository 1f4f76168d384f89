// Cases of docs/wire-protocol.md §6: the amount that the transport may send on the peer's accounts,
// to the byte.

import type { RawFrame, RawPeer } from '@trunkline/transport-testkit/internal';
import { failure, type Suite } from './checks.ts';
import { body, KiB, PACKET, request, tag, untag } from './frames.ts';
import type { SessionFixture } from './session-fixture.ts';

/** The credit that a full packet costs. */
const FULL = PACKET + 64;

export function senderCreditCases({ it }: Suite): void {
  it('sending: a packet starts while the pipe is above 0, and costs its bytes and 64', async (t, up) => {
    const s = await up();
    s.peer.returnPipe = false;
    const sent = s.client.echo(body(1024 * KiB), { timeout: 3_600_000 });
    const { id } = await s.peer.next('REQUEST');
    await packetsAre(t, s.peer, 4, 'four packets overdraw 256 KiB by 256 bytes');
    s.peer.grant(1, 4 * FULL - 256 * KiB);
    await packetsAre(t, s.peer, 4, 'nothing starts while an account is at 0');
    s.peer.grant(1, 1);
    await packetsAre(t, s.peer, 5, '1 is enough');
    s.peer.grant(1, FULL - 1);
    await packetsAre(t, s.peer, 5, 'the account is at 0 again');
    s.peer.grant(1, 2 * FULL);
    await packetsAre(t, s.peer, 7, 'two packets more');
    s.peer.send({ kind: 'ERROR', id, code: 10 });
    t.is((await failure(t, sent)).code, 'aborted');
  });

  it('sending: all packets but the last are full', async (t, up) => {
    const s = await up();
    const sent = s.client.echo(body(200 * KiB));
    const asked = await s.peer.message('REQUEST');
    t.deepEqual(asked.payload, body(200 * KiB));
    const sizes = s.peer.log
      .filter((frame) => frame.kind === 'REQUEST' || frame.kind === 'PART')
      .map((frame) => frame.payload.length);
    t.deepEqual(sizes, [PACKET, PACKET, PACKET, 8 * KiB]);
    t.deepEqual(
      s.peer.log.filter((frame) => frame.kind === 'PART').map((frame) => frame.size),
      [0, 0, 0],
    );
    s.peer.send({ kind: 'RESPONSE', id: asked.id });
    await sent;
  });

  it('sending: a short one-way costs credit of account 2 of its channel, and its metadata costs none', async (t, up) => {
    const s = await up({ side: true, hello: { limits: { inbox: 7_000 } } });
    for (let n = 0; n < 7; n++)
      t.true(s.transport.trySend(s.remote, 'hint', body(100)), `${n}: 1,124 each of 7,000`);
    t.false(s.transport.trySend(s.remote, 'hint', body(1)), 'the account is at −868');
    t.true(s.side.trySend(s.remote, 'hint', body(1)), 'another channel has its own account');
    s.peer.grant(2, 868, { channel: 0x20 });
    await s.peer.barrier();
    t.false(s.transport.trySend(s.remote, 'hint', body(1)), 'the account is at 0');
    s.peer.grant(2, 1, { channel: 0x20 });
    await s.peer.barrier();
    t.true(s.transport.trySend(s.remote, 'hint', body(1)), 'the account is at 1');
    t.false(s.transport.trySend(s.remote, 'hint', body(1)), 'the account is at −1,024');
    await s.peer.barrier();
    const sent = s.peer.log.filter((frame) => frame.kind === 'ONEWAY' && frame.channel === 0x20);
    t.is(sent.length, 8);
  });

  it('sending: `send` of a one-way waits for credit, and resolves when it is spent', async (t, up) => {
    const s = await up({ hello: { limits: { inbox: 1 } } });
    await s.client.hint(tag(1));
    let resolved = false;
    const second = s.client.hint(tag(2)).then(() => {
      resolved = true;
    });
    const room = s.transport.writable(s.remote);
    await s.peer.next('ONEWAY');
    await s.peer.barrier();
    t.false(resolved);
    s.peer.grant(2, 1_026, { channel: 0x20 });
    await second;
    t.is(untag((await s.peer.next('ONEWAY')).payload), 2);
    s.peer.grant(2, 1_026, { channel: 0x20 });
    await room;
  });

  it('sending: short requests cost no credit', async (t, up) => {
    const s = await up({ hello: { limits: { inbox: 1, pipe: 1, stream: 1 } } });
    const sent = Array.from({ length: 50 }, (_, n) => s.client.echo(body(10_000, n)));
    for (let n = 0; n < 50; n++) {
      const { id, payload } = await s.peer.next('REQUEST');
      s.peer.send({ kind: 'RESPONSE', id, payload });
    }
    await Promise.all(sent);
    t.pass();
  });

  it('sending: a long request costs credit of account 2 of its channel, the whole size at its first packet', async (t, up) => {
    const s = await up({ side: true, hello: { limits: { inbox: 1 } } });
    const size = 100 * KiB;
    const sent = [
      s.client.echo(body(size)),
      s.client.echo(body(size, 1)),
      s.side.send(s.remote, 'echo', body(size, 2)),
    ];
    const first = await s.peer.message('REQUEST', (frame) => frame.channel === 0x20);
    const beside = await s.peer.message('REQUEST', (frame) => frame.channel === 0x21);
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 2, 'the second long request of the channel waits');
    s.peer.grant(2, size + 64 - 1, { channel: 0x20 });
    await s.peer.barrier();
    t.is(s.peer.count('REQUEST'), 2, 'the account is at 0');
    s.peer.grant(2, 1, { channel: 0x20 });
    const second = await s.peer.message('REQUEST');
    t.deepEqual(second.payload, body(size, 1));
    for (const { id } of [first, beside, second]) s.peer.send({ kind: 'RESPONSE', id });
    await Promise.all(sent);
  });

  it('sending: a long one-way costs credit of account 2 in the same way, and has an id', async (t, up, role) => {
    const s = await up({ hello: { limits: { inbox: 1 } } });
    await s.client.hint(body(100 * KiB));
    const first = await s.peer.message('ONEWAY');
    t.is(first.id & 1, role === 'dialer' ? 1 : 0);
    t.true(first.id > 0);
    const second = s.client.hint(body(80 * KiB));
    await s.peer.barrier();
    t.is(s.peer.count('ONEWAY'), 1);
    s.peer.grant(2, 100 * KiB + 1_024, { channel: 0x20 });
    await second;
    await s.peer.message('ONEWAY');
  });

  it('sending: a one-way waits for a long request of its channel that the peer has not taken; short requests do not', async (t, up) => {
    const s = await up({ side: true, hello: { limits: { inbox: 1 } } });
    const long = s.client.echo(body(100 * KiB));
    const asked = await s.peer.message('REQUEST');
    const short = s.client.echo(tag(1));
    const next = await s.peer.next('REQUEST');
    t.true(s.side.trySend(s.remote, 'hint', tag(2)), 'another channel has its own account');
    t.false(s.transport.trySend(s.remote, 'hint', tag(3)));
    s.peer.grant(2, 100 * KiB + 64, { channel: 0x20 });
    await s.peer.barrier();
    t.true(s.transport.trySend(s.remote, 'hint', tag(4)));
    for (const { id } of [asked, next]) s.peer.send({ kind: 'RESPONSE', id });
    await Promise.all([long, short]);
  });

  it('sending: a long answer costs credit of the pipe alone, and short answers never wait behind it', async (t, up) => {
    const s = await up({ hello: { limits: { inbox: 1, pipe: 1, stream: 1 } } });
    s.peer.returnPipe = false;
    s.peer.send(...[0, 1, 2].map((n) => request(s.id(n), tag(n))));
    const rpcs = [await s.call('echo'), await s.call('echo'), await s.call('echo')];
    rpcs[0]?.respond(body(100 * KiB));
    rpcs[1]?.respond(body(90 * KiB));
    rpcs[2]?.respond(tag(7));
    await s.peer.next('RESPONSE', (frame) => frame.id === s.id(0));
    t.is(untag((await s.peer.next('RESPONSE', (frame) => frame.id === s.id(2))).payload), 7);
    await s.peer.barrier();
    t.is(s.peer.count('RESPONSE'), 2);
    s.peer.grant(1, 100 * KiB + 2 * 64 - 1);
    await s.peer.barrier();
    t.is(s.peer.count('RESPONSE'), 2, 'the rest of the first answer leaves the pipe at 0');
    s.peer.grant(1, FULL + 1);
    t.deepEqual(
      (await s.peer.message('RESPONSE', (frame) => frame.id === s.id(1))).payload,
      body(90 * KiB),
    );
  });

  it('sending: items cost credit of account 3 of their call and direction', async (t, up) => {
    const s = await up({ hello: { limits: { stream: 1_000 } } });
    s.peer.send(
      request(s.id(0), [1], { method: 4, flags: 2 }),
      request(s.id(1), [1], { method: 4, flags: 2 }),
    );
    const rpcs = [await s.call('feed'), await s.call('feed')];
    for (let n = 0; n < 9; n++) rpcs[0]?.write(body(100)).catch(() => {});
    await itemsAre(s, s.id(0), 7, t);
    rpcs[1]?.write(tag(1)).catch(() => {});
    await s.peer.next('ITEM', (frame) => frame.id === s.id(1));
    s.peer.grant(3, 148, { id: s.id(0) });
    await itemsAre(s, s.id(0), 7, t);
    s.peer.grant(3, 1, { id: s.id(0) });
    await itemsAre(s, s.id(0), 8, t);
    s.peer.grant(3, 164, { id: s.id(0) });
    await itemsAre(s, s.id(0), 9, t);
  });

  it("sending: a message above the peer's `message` or `item` fails at the sender with `sent: false`", async (t, up) => {
    const s = await up({ hello: { limits: { message: 100_000, item: 5_000 } } });
    for (const sent of [s.client.echo(body(100_001)), s.client.hint(body(100_001))]) {
      await failure(t, sent, { code: 'resource_exhausted', sent: false });
    }
    t.throws(() => s.transport.trySend(s.remote, 'hint', body(100_001)));
    const fits = s.client.echo(body(100_000));
    const asked = await s.peer.message('REQUEST');
    s.peer.send({ kind: 'RESPONSE', id: asked.id });
    await fits;
    s.peer.send(request(s.id(0), [1], { method: 4, flags: 2 }), request(s.id(1)));
    const feed = await s.call('feed');
    await feed.write(body(5_000));
    t.is((await failure(t, feed.write(body(5_001)))).code, 'resource_exhausted');
    const echo = await s.call('echo');
    try {
      echo.respond(body(100_001));
    } catch {}
    const error = await s.peer.next('ERROR', (frame) => frame.id === s.id(1));
    t.true(error.code === 8 || error.code === 13);
    t.is(s.peer.count('REQUEST'), 1);
  });
}

/**
 * Checks that so many packets arrive, and no more. The barriers alone aren't enough: their PONGs
 * overtake packets that wait for room in the connection.
 */
async function packetsAre(
  t: { is(a: number, b: number, message?: string): unknown },
  peer: RawPeer,
  expected: number,
  why: string,
): Promise<void> {
  await peer.arrived(expected, 'REQUEST', 'PART');
  await peer.barrier();
  await peer.barrier();
  t.is(peer.count('REQUEST') + peer.count('PART'), expected, why);
}

/** Checks that so many items of the call arrive, and no more. */
async function itemsAre(
  s: SessionFixture,
  id: number,
  expected: number,
  t: { is(a: number, b: number): unknown },
): Promise<void> {
  const isItem = (frame: RawFrame) => frame.kind === 'ITEM' && frame.id === id;
  const count = () => s.peer.log.filter(isItem).length;
  while (count() < expected) await s.peer.next('ITEM', isItem);
  for (let n = 0; n < 4; n++) await s.peer.barrier();
  t.is(count(), expected);
}
