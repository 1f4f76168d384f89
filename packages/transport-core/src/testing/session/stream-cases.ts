// Cases of docs/wire-protocol.md §2, §4 and §6, streaming calls: items, their ends, and how they
// are stopped.

import { failure, gets, type Suite } from './checks.ts';
import { body, KiB, packets, request, tag, untag } from './frames.ts';

export function streamCases({ it, violates }: Suite): void {
  it('streams: the callee sends a download as ITEMs and END, and END is its terminal', async (t, up) => {
    const s = await up();
    s.peer.send(request(s.id(0), [9], { method: 4, flags: 2 }));
    const rpc = await s.call('feed');
    t.deepEqual(rpc.request, Uint8Array.of(9));
    for (const n of [1, 2, 3]) await rpc.write(tag(n));
    t.true(rpc.end());
    for (const n of [1, 2, 3]) t.is(untag((await s.peer.next('ITEM')).payload), n);
    t.is((await s.peer.next('END')).id, s.id(0));
    t.is(s.peer.log.at(-1)?.kind, 'END');
    s.peer.send(request(s.id(0), [1]));
    (await s.call('echo')).respond(tag(1));
    await s.peer.next('RESPONSE');
    t.is(s.seen.counted('duplicateRequest'), 0);
  });

  it('streams: our download sends flag 2 and yields items until END', async (t, up) => {
    const s = await up();
    const items = await s.client.feed(tag(7));
    const asked = await gets(t, s.peer, 'REQUEST', { flags: 2, method: 4 });
    s.peer.send(
      { kind: 'ITEM', id: asked.id, payload: tag(1) },
      { kind: 'ITEM', id: asked.id },
      { kind: 'ITEM', id: asked.id, payload: tag(3) },
      { kind: 'END', id: asked.id },
    );
    const got = [];
    for await (const item of items) got.push([...item]);
    t.deepEqual(got, [[0, 1], [], [0, 3]]);
    await s.peer.barrier();
    t.is(s.peer.count('CANCEL'), 0);
  });

  it("streams: a caller's upload is ITEMs and END, and the RESPONSE is the terminal", async (t, up) => {
    const s = await up();
    const id = s.id(0);
    s.peer.send(
      request(id, [9], { method: 3, flags: 1 }),
      { kind: 'ITEM', id, payload: tag(1) },
      { kind: 'ITEM', id, payload: tag(2) },
      { kind: 'END', id },
    );
    const rpc = await s.call('collect');
    const got = [];
    for await (const item of rpc.upload) got.push(untag(item));
    t.deepEqual(got, [1, 2]);
    rpc.respond(tag(2));
    t.is(untag((await s.peer.next('RESPONSE')).payload), 2);
  });

  it('streams: our upload sends flag 1, its items in order and END', async (t, up) => {
    const s = await up();
    const sent = s.client.collect(tag(1), { upload: count(5) });
    const asked = await gets(t, s.peer, 'REQUEST', { flags: 1 });
    for (let n = 0; n < 5; n++)
      t.is(untag((await s.peer.next('ITEM', (frame) => frame.id === asked.id)).payload), n);
    await s.peer.next('END', (frame) => frame.id === asked.id);
    s.peer.send({ kind: 'RESPONSE', id: asked.id, payload: tag(5) });
    t.is(untag(await sent), 5);
  });

  it('streams: a duplex call has flags 3, and streams in both directions, each with its own END', async (t, up) => {
    const s = await up();
    const items = await s.client.duplex(tag(1), { upload: count(3) });
    const asked = await gets(t, s.peer, 'REQUEST', { flags: 3 });
    await s.peer.next('END');
    t.is(s.peer.count('ITEM'), 3);
    s.peer.send({ kind: 'ITEM', id: asked.id, payload: tag(1) }, { kind: 'END', id: asked.id });
    const got = [];
    for await (const item of items) got.push(untag(item));
    t.deepEqual(got, [1]);
    const id = s.id(0);
    s.peer.send(request(id, [9], { method: 5, flags: 3 }), { kind: 'ITEM', id, payload: tag(4) });
    const rpc = await s.call('duplex');
    for await (const item of rpc.upload) {
      await rpc.write(item);
      s.peer.send({ kind: 'END', id });
    }
    rpc.end();
    t.is(untag((await s.peer.next('ITEM', (frame) => frame.id === id)).payload), 4);
    await s.peer.next('END', (frame) => frame.id === id);
  });

  it("streams: a terminal before the upload's END stops the upload", async (t, up) => {
    const s = await up();
    let returned = false;
    async function* endless() {
      try {
        for (let n = 0; ; n++) yield tag(n & 0xff);
      } finally {
        returned = true;
      }
    }
    const sent = s.client.collect(tag(1), { upload: endless() });
    const { id } = await s.peer.next('REQUEST');
    await s.peer.next('ITEM');
    s.peer.send({ kind: 'RESPONSE', id, payload: tag(1) });
    t.is(untag(await sent), 1);
    await s.peer.barrier();
    t.true(returned);
    const items = s.peer.count('ITEM');
    await s.peer.barrier();
    t.is(s.peer.count('ITEM'), items);
  });

  it('streams: the reader gets the items before an ERROR, and then the error', async (t, up) => {
    const s = await up();
    const items = await s.client.feed(tag(1));
    const { id } = await s.peer.next('REQUEST');
    s.peer.send(
      { kind: 'ITEM', id, payload: tag(1) },
      { kind: 'ITEM', id, payload: tag(2) },
      { kind: 'ERROR', id, code: 11, text: 'no more' },
    );
    const got: number[] = [];
    const error = await failure(
      t,
      (async () => {
        for await (const item of items) got.push(untag(item));
      })(),
    );
    t.deepEqual(got, [1, 2]);
    t.is(error.code, 'out_of_range');
  });

  it("streams: CANCEL makes a handler's write fail", async (t, up) => {
    const s = await up({ hello: { limits: { stream: 1 } } });
    s.peer.send(request(s.id(0), [1], { method: 4, flags: 2 }));
    const rpc = await s.call('feed');
    const first = rpc.write(tag(1));
    const second = rpc.write(tag(2));
    for (const write of [first, second]) write.catch(() => {});
    await s.peer.next('ITEM');
    s.peer.send({ kind: 'CANCEL', id: s.id(0) });
    t.is((await s.peer.next('ERROR')).code, 1);
    await failure(t, second);
    await failure(t, rpc.write(tag(3)));
    t.false(rpc.end());
    await s.peer.barrier();
    t.is(s.peer.count('ITEM'), 1);
    t.is(s.peer.count('END'), 0);
  });

  it('streams: a large item is sent as an ITEM with its size and PARTs, in both directions', async (t, up) => {
    const s = await up();
    const whole = body(300 * KiB);
    s.peer.send(request(s.id(0), [1], { method: 4, flags: 2 }));
    const rpc = await s.call('feed');
    const written = rpc.write(whole);
    const item = await s.peer.message('ITEM');
    t.is(item.size, whole.length);
    t.deepEqual(item.payload, whole);
    s.peer.grant(3, whole.length + 64, { id: s.id(0) });
    await written;
    rpc.end();
    await s.peer.next('END');
    const items = await s.client.feed(tag(1));
    const { id } = await s.peer.next('REQUEST');
    await s.peer.paced([...packets({ kind: 'ITEM', id }, whole), { kind: 'END', id }]);
    for await (const got of items) t.deepEqual(got, whole);
  });

  it('streams: an item whose packets stop for 10 s ends its call, and CANCEL is sent', async (t, up) => {
    const s = await up();
    const items = await s.client.feed(tag(1));
    const { id } = await s.peer.next('REQUEST');
    const next = items[Symbol.asyncIterator]().next();
    const [first] = packets({ kind: 'ITEM', id }, body(100 * KiB));
    s.peer.send(first as never);
    const failed = failure(t, next);
    for (let passed = 0; passed < 22_000; passed += 1_000) {
      await s.peer.barrier();
      s.clock.advance(1_000);
    }
    t.is((await failed).code, 'aborted');
    t.is((await s.peer.next('CANCEL')).id, id);
    t.false(s.peer.closed);
  });
  violates('streams: a second END from the caller of a duplex call', async ({ peer, id, call }) => {
    peer.send(request(id(0), [1], { method: 5, flags: 3 }), { kind: 'END', id: id(0) });
    await call('duplex');
    peer.send({ kind: 'END', id: id(0) });
  });
}

async function* count(to: number) {
  for (let n = 0; n < to; n++) yield tag(n);
}
