// Tests of the start and the end of peers: stores that hang, resources that are left over, and
// calls that may follow.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createPeers } from './peers.ts';
import { type AddressBookStore, createMemoryAddressBook } from './store/address-book-store.ts';
import { bare, calm, failureOf, nothingIsLeft, storeOf } from './testing/bare.ts';
import { cluster, idOf, isLinked, passive } from './testing/cluster.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const never = () => new Promise<never>(() => {});

test.serial('peers start once; a start that failed may be repeated', async (t) => {
  const sim = simulationOf(calm);
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
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'peers that are closed before or during their start do nothing and hold nothing',
  async (t) => {
    const sim = simulationOf(calm);
    const before = await bare(sim, 'a', { persistent: ['c'] });
    await sim.settle(before.peers.close());
    t.is((await sim.settle(failureOf(before.peers.start()))).code, 'failed_precondition');
    let loaded: () => void = () => {};
    const closed: string[] = [];
    const load: AddressBookStore['load'] = () =>
      new Promise((resolve) => {
        loaded = () => resolve({ value: undefined, warnings: [] });
      });
    const close = async () => void closed.push('b');
    const during = await bare(sim, 'b', {
      persistent: ['c'],
      addressBook: storeOf({ load, close }),
    });
    const starts = failureOf(during.peers.start());
    await sim.settle(during.peers.close(), 6_000);
    t.deepEqual(closed, []);
    loaded();
    t.is((await sim.settle(starts)).code, 'shutdown');
    t.deepEqual(closed, ['b'], 'the store is free for others');
    t.is((await sim.settle(failureOf(during.peers.start()))).code, 'failed_precondition');
    for (const { transport, peers } of [before, during]) {
      t.deepEqual([peers.list(), transport.remotes()], [[], []]);
      await sim.settle(transport.close());
    }
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('close() is bounded, even if dials, filters, the store or calls hang', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    const saves: string[] = [];
    const nodes = cluster(sim, ['b', 'c', 'far'], {
      peers: (name) => ({ ...passive, persistent: name === 'c' ? ['a'] : [] }),
    });
    const stores: [string, Partial<AddressBookStore>][] = [
      ['save', { save: never }],
      ['close', { close: never }],
      ['a close that fails', { close: () => Promise.reject(new Error('EIO')) }],
      ['a save that fails', { save: () => Promise.reject(new Error('EIO')) }],
      ['nothing', { save: async (text) => void saves.push(text) }],
    ];
    for (const [i, [hanging, doing]] of stores.entries()) {
      const name = i === 0 ? 'a' : `a${i}`;
      const { peers, transport } = await bare(sim, name, {
        persistent: ['b', 'far', 'lookup'],
        addressBook: storeOf(doing),
        filters: { nodeId: (nodeId) => (nodeId === idOf('c') ? never() : undefined) },
      });
      sim.cut(name, 'far');
      await transport.listen();
      void (async () => {
        for await (const _ of transport.consumer()) await never();
      })();
      await sim.settle(peers.start());
      await sim.until(() => peers.list().length === 1, 5_000);
      const b = nodes.get('b')!;
      await sim.until(() => isLinked(b, name), 1_000);
      const inward = failureOf(
        b.transport.send(`node:${idOf(name)}`, 'say', 'hangs', { timeout: 600_000 }),
      );
      await sim.run(100);
      const began = sim.now;
      await sim.settle(peers.close(), 7_000);
      t.true(sim.now - began <= 6_000, `${run.name}, ${hanging}: ${sim.now - began} ms`);
      t.is((await sim.settle(inward, 10_000)).code, 'unavailable');
      t.is(eventsOf(b, 'down').at(-1)!.cause.reason, 'disconnected', 'it is disconnected in order');
      await sim.settle(transport.close(), 2_000);
      await sim.run(1_000);
    }
    t.true(saves.at(-1)!.includes(idOf('b')), 'what was learned is saved at the end');
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a dial that is in progress when peers close has no effect', async (t) => {
  for (const run of runs(3)) {
    for (const delay of [1, 15, 30, 45, 60]) {
      const sim = simulationOf(run, { link: { latency: 10 } });
      const nodes = cluster(sim, ['b'], { peers: () => passive });
      await sim.until(() => nodes.size === 1);
      const { peers, transport } = await bare(sim, 'a', { persistent: ['b'] });
      await sim.settle(peers.start());
      await sim.run(delay);
      await sim.settle(peers.close(), 7_000);
      await sim.run(10_000);
      t.deepEqual(
        [transport.remotes().length, nodes.get('b')!.peers.list().length],
        [0, 0],
        `${run.name}, after ${delay} ms`,
      );
      await sim.settle(transport.close());
      t.deepEqual(await sim.close(), []);
    }
  }
});

test.serial(
  'after peers and their transport are closed, in any order, no timer or dial is left',
  async (t) => {
    for (const run of runs(2)) {
      for (const order of ['peers', 'transport', 'transport alone', 'both at once'] as const) {
        const sim = simulationOf(run);
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
        for (const { transport, peers } of made) {
          const ends =
            order === 'peers'
              ? [peers, transport]
              : order === 'transport'
                ? [transport, peers]
                : order === 'transport alone'
                  ? [transport]
                  : [];
          for (const end of ends) await sim.settle(end.close(), 10_000);
          if (order === 'both at once')
            await sim.settle(Promise.all([peers.close(), transport.close()]), 10_000);
        }
        await nothingIsLeft(t, sim, `${run.name}, ${order}: no timer`);
        await t.notThrowsAsync(
          addressBook.load((text) => text),
          'the book is free for others',
        );
        await sim.close();
      }
    }
  },
);

test.serial(
  'after peers are closed the transport continues, and new peers can manage it',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['b'], { peers: () => passive });
      const { peers, transport } = await bare(sim, 'a', { persistent: ['b'] });
      t.throws(() => createPeers({ transport }), {
        instanceOf: TypeError,
        message: /call createPeers once for each transport/,
      });
      await sim.settle(peers.start());
      await sim.until(() => peers.list().length === 1 && nodes.get('b')?.peers.list().length === 1);
      await sim.settle(peers.close());
      t.is(await sim.settle(transport.send('b', 'say', 'still here')), 'b: still here', run.name);
      t.is(
        (await sim.settle(failureOf(transport.send(`node:${idOf('b')}`, 'say', 'x')))).code,
        'failed_precondition',
      );
      await sim.run(1_000);
      t.deepEqual(nodes.get('b')!.peers.list(), [], 'a client is not a peer');
      const again = createPeers({ transport, identity: { nodeId: idOf('a') }, persistent: ['b'] });
      await sim.settle(again.start());
      await sim.until(
        () => again.list().length === 1 && nodes.get('b')!.peers.list().length === 1,
        20_000,
      );
      t.is(await sim.settle(transport.send(`node:${idOf('b')}`, 'say', 'by id')), 'b: by id');
      await sim.settle(again.close());
      await sim.settle(transport.close());
      t.deepEqual(await sim.close(), []);
    }
  },
);
