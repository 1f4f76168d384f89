// Tests of a page on transport-ws that carries much, and that loses its connection.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import type { ExecutionContext } from 'ava';
import { askOf, inChromium } from './chromium.ts';
import { lines, QUICK } from './lines.ts';
import { lostConnections } from './lost-connections.ts';
import { TestServer } from './test-server.ts';

const openServer = (t: ExecutionContext, address = 'ws://127.0.0.1:0') => {
  const options = { protocol: lines, keepAlive: QUICK, backends: [ws()] };
  return TestServer.listen(t, createTransport(address, options));
};

lostConnections(async (t, browser) => {
  let address: string | undefined;
  return {
    ...(await browser.open(t)),
    async openServer() {
      const server = await openServer(t, address);
      address = server.address;
      return server;
    },
  };
});

inChromium(
  'calls of a frozen tab fail as soon as it runs again, and the tab comes back',
  async (t, browser) => {
    const tab = await browser.openFreezable();
    const ask = askOf((expression) => tab.evaluate(expression));
    const server = await openServer(t);
    await ask('hold', server.address);
    await server.next('up');
    const lost = ask('call', server.address, 'wait', { timeout: 60_000 });
    await server.waiting();
    await tab.freeze();
    await server.next('down');
    await tab.thaw();
    t.is((await lost).code, 'unavailable');
    await server.next('up');
    t.is((await ask('call', server.address, 'echo')).code, 'ok');
  },
);

inChromium('four calls at once carry megabytes in both directions', async (t, browser) => {
  const backends = [ws()];
  const transport = createTransport('ws://127.0.0.1:0', { protocol: lines, backends });
  const server = await TestServer.listen(t, transport);
  const { ask } = await browser.open(t);
  const size = 1_000_000;
  t.deepEqual(await ask('exchange', server.address, size), [size, size, size, size]);
});
