// Tests of nodes whose addresses change: while they run, or while they are down; in the second case
// only a node that kept its address can inform the others.

import type { Simulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { AddressBook } from './book/address-book.ts';
import { formatSavedState } from './driver/book-keeper.ts';
import type { PeersOptions } from './options.ts';
import { type AddressBookStore, createMemoryAddressBook } from './store/address-book-store.ts';
import { cluster, connected, idOf, type TestNode } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { runs, simulationOf } from './testing/runs.ts';
import { TrustBook } from './trust/trust-book.ts';

/** Returns a node's id, regardless of its address: 'b2' is b's new address. */
const nodeOf = (name: string) => idOf(name[0]!);
const isLinked = (node: TestNode | undefined, name: string) =>
  node?.peers.get(nodeOf(name)) !== undefined;

/** Creates a book that has reached some nodes at their first addresses. */
async function bookOf(sim: Simulation, ...names: string[]): Promise<AddressBookStore> {
  const book = new AddressBook({ random: seededRandom(7), now: 0 });
  for (const name of names) book.succeeded(nodeOf(name), name, 0);
  const store = createMemoryAddressBook();
  const write = async () => {
    await store.load((text) => text);
    await store.save(
      formatSavedState({ book: book.save(0), trust: new TrustBook({ now: 0 }).save(0) }),
    );
    await store.close();
  };
  await sim.settle(write());
  return store;
}

/** Starts nodes at their current addresses, each with the book from its former address. */
function nodesAt(
  sim: Simulation,
  names: readonly string[],
  books: Readonly<Record<string, AddressBookStore>>,
  given: (name: string) => Partial<PeersOptions>,
) {
  return cluster(sim, names, {
    peers: (name) => ({
      identity: { nodeId: nodeOf(name) },
      addressBook: books[name[0]!]!,
      ...given(name),
    }),
    durable: false,
  });
}

const ways: Record<string, (name: string) => Partial<PeersOptions>> = {
  'from the book': () => ({}),
  'as persistent peers, that are listed where they were': (name) => {
    const others = ['a', 'b', 'c'].filter((other) => other !== name[0]);
    return { persistent: others.map((other) => `${idOf(other)}@${other}`), maxOutbound: 0 };
  },
};

test.serial('a node that changes its address while it runs is known by the new one', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['a', 'b'], {
      peers: (name) => ({ persistent: name === 'b' ? [] : ['b'], maxOutbound: 0 }),
      durable: false,
    });
    await sim.until(() => isLinked(nodes.get('b'), 'a'), 60_000);
    nodes.get('a')!.transport.advertise('elsewhere,a');
    await sim.until(() => nodes.get('b')!.peers.get(idOf('a'))!.addr === 'elsewhere', 1_000);
    const guest = rawPeer(sim, 'guest');
    const remote = await sim.settle(guest.transport.dial('b'));
    guest.words.trySend(remote, 'request', new Uint8Array());
    await sim.until(() => countReceived(guest, 'addresses') === 1, 1_000);
    t.deepEqual(
      guest.heard.find(({ method }) => method === 'addresses')!.request,
      { addresses: [{ nodeId: idOf('a'), address: 'elsewhere' }] },
      `${run.name}: others are told the first of its addresses`,
    );
    t.true(isLinked(nodes.get('b'), 'a'), run.name);
    t.deepEqual(await sim.close(), []);
  }
});

for (const [way, given] of Object.entries(ways)) {
  test.serial(
    `two nodes that both moved while down reconnect within a minute and a half through a third node: dialed ${way}`,
    async (t) => {
      t.timeout(120_000);
      for (const run of runs()) {
        const sim = simulationOf(run);
        const books = {
          a: await bookOf(sim, 'b', 'c'),
          b: await bookOf(sim, 'a', 'c'),
          c: await bookOf(sim, 'a', 'b'),
        };
        const before = nodesAt(sim, ['a', 'b', 'c'], books, given);
        const isMesh = () =>
          ['a', 'b', 'c'].every((name) => (before.get(name)?.peers.list().length ?? 0) === 2);
        await sim.until(isMesh, 60_000);
        await sim.settle(Promise.all(['a', 'b'].map((name) => before.get(name)!.peers.close())));
        sim.crash('a');
        sim.crash('b');
        await sim.run(60_000);
        const after = nodesAt(sim, ['a2', 'b2'], books, given);
        const from = sim.now;
        await sim.until(
          () => isLinked(after.get('a2'), 'b') && isLinked(after.get('b2'), 'a'),
          90_000,
        );
        t.log(`${run.name}: after ${Math.round((sim.now - from) / 1_000)} s`);
        t.is(before.get('c')!.peers.list().length, 2, run.name);
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}

for (const [place, home] of Object.entries({
  'its old address': 'b',
  'a new one, which an honest node tells': 'b2',
})) {
  test.serial(
    `a falseReporter that sends false addresses of a node that is down delays finding it by at most a quarter of an hour at ${place}`,
    async (t) => {
      t.timeout(120_000);
      for (const run of runs()) {
        const sim = simulationOf(run);
        const books = {
          a: await bookOf(sim, 'b', 'c', 'l'),
          b: await bookOf(sim, 'c'),
          c: await bookOf(sim, 'a'),
        };
        let told = 0;
        const falseReporter = rawPeer(sim, 'l', {
          answer: () => [{ nodeId: nodeOf('b'), address: `nowhere${++told}` }],
        });
        await sim.settle(falseReporter.transport.listen());
        const dialed: string[] = [];
        const resolve = (target: string) => {
          dialed.push(target);
          return target;
        };
        const nodes = cluster(sim, ['a', 'c'], {
          // b does not dial, so a has to find it.
          transport: (name) => (name === 'a' ? { resolve } : {}),
          peers: (name) => ({
            identity: { nodeId: nodeOf(name) },
            addressBook: books[name as 'a' | 'c'],
            ...(name === 'c' ? { maxOutbound: 0 } : {}),
          }),
          durable: false,
        });
        await sim.until(
          () => nodes.has('a') && isLinked(nodes.get('a'), 'c') && isLinked(nodes.get('a'), 'l'),
          60_000,
        );
        await sim.run(600_000);
        t.true(
          dialed.some((target) => target.startsWith('nowhere')),
          `${run.name}: the false address is believed`,
        );
        const places = dialed.filter((target) => target === 'b' || target.startsWith('nowhere'));
        t.true(
          places.every((target, i) => i === 0 || target === 'b' || places[i - 1] === 'b'),
          `${run.name}: at least every other dial goes to the old address`,
        );
        nodesAt(sim, [home], books, () => ({ persistent: ['c'], maxOutbound: 0 }));
        const from = sim.now;
        // After 16 failures in a row, an address is not dialed for ten minutes.
        await sim.until(() => isLinked(nodes.get('a'), 'b'), 900_000);
        t.log(`${run.name}: after ${Math.round((sim.now - from) / 1_000)} s, ${told} lies`);
        t.deepEqual(connected(nodes.get('a')!, ['b', 'c', 'l']), ['b', 'c', 'l']);
        t.deepEqual(await sim.close(), []);
      }
    },
  );
}
