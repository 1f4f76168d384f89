// Tests of port mapping between network namespaces: with Debian's miniupnpd on the router, and with
// nothing on it.

import test, { type ExecutionContext } from 'ava';
import { HomeNetwork, INNER, LAN, OUTER, ROUTER, unable, until } from './testing/home-network.ts';

const reason = unable();

for (const protocol of ['UPnP', 'NAT-PMP'] as const) {
  inNetwork(
    `${protocol}: a node behind miniupnpd is dialed from outside, survives a restart of the router, and leaves no mapping behind`,
    async (t, network) => {
      const router = { upnp: protocol === 'UPnP' };
      await network.startRouter(router);
      const outer = await network.startNode('outer', `${OUTER}:7000`);
      const inner = await network.startNode('inner', `${INNER}:7000`, `${OUTER}:7000`);
      const external = `tcp://${ROUTER}:7000`;
      const isKnownAt = (address: string) =>
        until(
          `the outer node knows the inner one at ${address}`,
          async () => String(await outer.ask('peers')) === address,
        );
      await isKnownAt(`tcp://${INNER}:7000`);
      t.is(await outer.ask(`call ${external}`), 'unavailable');

      t.deepEqual(await inner.ask('map'), { addresses: [external] });
      await isKnownAt(external);
      t.is(await outer.ask(`call ${external}`), 'reached');

      await network.stopRouter();
      t.is(await outer.ask(`call ${external}`), 'unavailable');
      await network.startRouter(router);
      await until('the port is mapped again', () => network.mappings() === 1);
      t.is(await outer.ask(`call ${external}`), 'reached');

      t.is(await inner.ask('unmap'), `tcp://${INNER}:7000`);
      t.is(network.mappings(), 0);
      t.is(await outer.ask(`call ${external}`), 'unavailable');
      await isKnownAt(`tcp://${INNER}:7000`);
    },
  );
}

inNetwork('UPnP: a search is repeated until the router answers', async (t, network) => {
  network.dropFirstSearch();
  await network.startRouter({ upnp: true });
  const inner = await network.startNode('inner', `${INNER}:7000`);
  t.deepEqual(await inner.ask('map'), { addresses: [`tcp://${ROUTER}:7000`] });
  t.deepEqual([network.droppedSearches(), network.mappings()], [1, 1]);
  t.is(await inner.ask('unmap'), `tcp://${INNER}:7000`);
  t.is(network.mappings(), 0);
});

inNetwork('without a router that maps ports, the error says what to do', async (t, network) => {
  const inner = await network.startNode('inner', `${INNER}:7000`);
  const { addresses, error } = (await inner.ask('map')) as { addresses: []; error: string };
  t.deepEqual(addresses, []);
  t.is(
    error,
    `Cannot map port 7000 by NAT-PMP on the router ${LAN}: no answer: recvmsg ECONNREFUSED; check that UPnP or NAT-PMP is turned on in the router, and that no firewall drops its answers`,
  );
});

/** Defines a test in a network of its own, skipped where none can be made. */
function inNetwork(
  title: string,
  run: (t: ExecutionContext, network: HomeNetwork) => Promise<void>,
): void {
  if (reason !== undefined) return void test.skip(`${title} (skipped: ${reason})`, () => {});
  test.serial(title, async (t) => {
    t.timeout(60_000);
    const network = new HomeNetwork();
    t.teardown(() => network.close());
    await run(t, network);
  });
}
