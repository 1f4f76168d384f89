// Tests of the start and the end of peers: stores that hang, resources that are left over, and
// calls that may follow.

import { TransportError } from '@trunkline/transport-core';
import { createPeers } from './peers.ts';
import { type AddressBookStore, createMemoryAddressBook } from './store/address-book-store.ts';
import { bare, failureOf, nothingIsLeft, storeOf } from './testing/bare.ts';
import { boot, idOf, isLinked, passive } from './testing/cluster.ts';
import { entry, looseProtocol, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, test } from './testing/runs.ts';

const never = () => new Promise<never>(() => {});

test('peers start once; a start that failed may be repeated', async (t, sim) => {
  let loads = 0;
  const load: AddressBookStore['load'] = async () => {
    if (++loads === 1) throw new TransportError('failed_precondition', 'another process has it');
    return { value: undefined, warnings: [] };
  };
  const { peers, transport } = await bare(sim, 'a', { addressBook: storeOf({ load }) });
  t.is((await sim.settle(failureOf(peers.start()))).code, 'failed_precondition');
  await sim.settle(peers.start());
  t.regex((await sim.settle(failureOf(peers.start()))).message, /have started/);
  await sim.settle(Promise.all([peers.close(), peers.close(), peers[Symbol.asyncDispose]()]));
  const error = await sim.settle(failureOf(peers.start()));
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /closed/);
  await sim.settle(transport.close());
});

test('peers that are closed before or during their start do nothing and hold nothing', async (t, sim) => {
  const before = await bare(sim, 'a', { persistent: ['c'] });
  await sim.settle(before.peers.close());
  t.is((await sim.settle(failureOf(before.peers.start()))).code, 'failed_precondition');
  let loaded: () => void = () => {};
  let isClosed = false;
  const load: AddressBookStore['load'] = () =>
    new Promise((resolve) => void (loaded = () => resolve({ value: undefined, warnings: [] })));
  const close = async () => void (isClosed = true);
  const addressBook = storeOf({ load, close });
  const during = await bare(sim, 'b', { persistent: ['c'], addressBook });
  const starts = failureOf(during.peers.start());
  await sim.settle(during.peers.close(), 6_000);
  t.false(isClosed);
  loaded();
  t.is((await sim.settle(starts)).code, 'shutdown');
  t.true(isClosed, 'the store is free for others');
  t.is((await sim.settle(failureOf(during.peers.start()))).code, 'failed_precondition');
  for (const { transport, peers } of [before, during]) {
    t.deepEqual([peers.list(), transport.remotes()], [[], []]);
    await sim.settle(transport.close());
  }
});

let saved = '';
const fails = () => Promise.reject(new Error('EIO'));
const stores: [string, Partial<AddressBookStore>][] = [
  ['a save that hangs', { save: never }],
  ['a close that hangs', { close: never }],
  ['a close that fails', { close: fails }],
  ['a save that fails', { save: fails }],
  ['a store that works', { save: async (text) => void (saved = text) }],
];
for (const [what, doing] of stores)
  test(`close() is bounded, even if dials, filters, the store or calls hang: ${what}`, async (t, sim) => {
    const [b] = await boot(sim, ['b', 'c', 'far'], {
      peers: (name) => ({ ...passive, persistent: name === 'c' ? ['a'] : [] }),
    });
    const { peers, transport } = await bare(sim, 'a', {
      persistent: ['b', 'far', 'lookup'],
      addressBook: storeOf(doing),
      filters: { nodeId: (nodeId) => (nodeId === idOf('c') ? never() : undefined) },
    });
    sim.cut('a', 'far');
    await transport.listen();
    void (async () => {
      for await (const _ of transport.consumer()) await never();
    })();
    await sim.settle(peers.start());
    await sim.until(() => peers.list().length === 1, 5_000);
    await sim.until(() => isLinked(b, 'a'), 1_000);
    const call = b.transport.send(`node:${idOf('a')}`, 'say', 'hangs', { timeout: 600_000 });
    const inward = failureOf(call);
    await sim.run(100);
    const began = sim.now;
    await sim.settle(peers.close(), 7_000);
    t.true(sim.now - began <= 6_000, `${sim.now - began} ms`);
    t.is((await sim.settle(inward, 10_000)).code, 'unavailable');
    t.is(eventsOf(b, 'down').at(-1)!.cause.reason, 'disconnected', 'it is disconnected in order');
    await sim.settle(transport.close(), 2_000);
    await sim.run(1_000);
    if (what === 'a store that works')
      t.true(saved.includes(idOf('b')), 'what was learned is saved at the end');
  });

for (const delay of [1, 15, 30, 45, 60])
  test(`a dial that is in progress when peers close has no effect: after ${delay} ms`, async (t, sim) => {
    const [b] = await boot(sim, ['b'], { peers: passive });
    const { peers, transport } = await bare(sim, 'a', { persistent: ['b'] });
    sim.link('a', 'b', { latency: 10 });
    await sim.settle(peers.start());
    await sim.run(delay);
    await sim.settle(peers.close(), 7_000);
    await sim.run(10_000);
    t.deepEqual([transport.remotes(), b.peers.list()], [[], []]);
    await sim.settle(transport.close());
  });

type Ends = Awaited<ReturnType<typeof bare>>;
for (const [order, end] of [
  ['peers', ({ peers, transport }: Ends) => peers.close().then(() => transport.close())],
  ['transport', ({ peers, transport }: Ends) => transport.close().then(() => peers.close())],
  ['transport alone', ({ transport }: Ends) => transport.close()],
  ['both at once', (each: Ends) => Promise.all([each.peers.close(), each.transport.close()])],
] as const)
  test(`after peers and their transport are closed, in any order, no timer or dial is left: ${order}`, async (t, sim) => {
    const addressBook = createMemoryAddressBook();
    const made = [
      await bare(sim, 'a', { persistent: ['b', 'nobody'], addressBook }),
      await bare(sim, 'b', { persistent: ['a', 'nobody'] }),
    ];
    for (const { transport, peers } of made) {
      await sim.settle(transport.listen());
      await sim.settle(peers.start());
    }
    await sim.until(() => made.every(({ peers }) => peers.list().length === 1));
    for (const each of made) await sim.settle<unknown>(end(each), 20_000);
    await nothingIsLeft(t, sim, 'no timer');
    const free = addressBook.load((text) => text);
    await t.notThrowsAsync(free, 'the book is free for others');
  });

test('after peers are closed, nothing is left of a dial whose lookup hangs', async (t, sim) => {
  const seed = rawPeer(sim, 's', { answer: () => [entry('x', 'x.example:7000')] });
  await sim.settle(seed.transport.listen());
  let asked = 0;
  const lookup = () => {
    asked++;
    return never();
  };
  const { peers, transport } = await bare(sim, 'a', { seeds: ['s'], lookup });
  await sim.settle(peers.start());
  await sim.until(() => asked > 0, 30_000);
  for (const each of [peers, transport, seed.transport]) await sim.settle(each.close(), 20_000);
  await nothingIsLeft(t, sim, 'no timer');
});

test('after peers are closed the transport continues, and new peers can manage it', async (t, sim) => {
  const [b] = await boot(sim, ['b'], { peers: passive });
  const { peers, transport } = await bare(sim, 'a', { persistent: ['b'] });
  t.throws(() => createPeers({ transport }), {
    instanceOf: TypeError,
    message: /call createPeers once for each transport/,
  });
  await sim.settle(peers.start());
  await sim.until(() => peers.list().length === 1 && b.peers.list().length === 1);
  await sim.settle(peers.close());
  t.is(await sim.settle(transport.send('b', 'say', 'still here')), 'b: still here');
  const call = failureOf(transport.send(`node:${idOf('b')}`, 'say', 'x'));
  t.is((await sim.settle(call)).code, 'failed_precondition');
  await sim.run(1_000);
  t.deepEqual(b.peers.list(), [], 'a client is not a peer');
  const again = createPeers({ transport, identity: { nodeId: idOf('a') }, persistent: ['b'] });
  await sim.settle(again.start());
  await sim.until(() => again.list().length === 1 && b.peers.list().length === 1, 20_000);
  t.is(await sim.settle(transport.send(`node:${idOf('b')}`, 'say', 'by id')), 'b: by id');
  await sim.settle(again.close());
  await sim.settle(transport.close());
});

test('createPeers throws if another protocol has its channel, and succeeds once that is closed', async (t, sim) => {
  const { peers, transport } = await bare(sim, 'a');
  await sim.settle(peers.close());
  const mount = transport.mount(looseProtocol);
  for (let i = 0; i < 2; i++)
    t.throws(() => createPeers({ transport }), { message: /is already mounted/ });
  await sim.settle(mount.close());
  await sim.settle(createPeers({ transport }).close());
  await sim.settle(transport.close());
});
