// Tests of a page on transport-ws that loses its connection.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import test from 'ava';
import { lines, QUICK } from './lines.ts';
import { lostConnections, openPage } from './lost-connections.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { askOf, TestServer } from './test-server.ts';

const inChromium = lostConnections(test, async (t, browser) => {
  let address = 'ws://127.0.0.1:0';
  return {
    ...(await openPage(t, browser, 'lines')),
    async openServer() {
      const options = { protocol: lines, keepAlive: QUICK, backends: [ws()] };
      const server = await TestServer.listen(t, createTransport(address, options));
      address = server.transport.localAddr();
      return server;
    },
    async proxied({ transport }) {
      const proxy = await TcpProxy.start(Number(new URL(transport.localAddr()).port));
      t.teardown(() => proxy.close());
      const [cut, mend] = [() => proxy.cut(), () => proxy.mend()];
      return { address: `ws://127.0.0.1:${proxy.port}/`, cut, mend };
    },
  };
});

inChromium(
  'calls of a frozen tab fail as soon as it runs again, and the tab comes back',
  async (t, { openServer }, browser) => {
    const tab = await browser.openFreezable('lines');
    const ask = askOf((expression) => tab.evaluate(expression));
    const server = await openServer();
    const address = server.transport.localAddr();
    await ask('hold', address);
    await server.next('up');
    const lost = ask('call', address, 'wait', 60_000);
    await server.waiting();
    await tab.freeze();
    await server.next('down');
    await tab.thaw();
    t.is((await lost).code, 'unavailable');
    await server.next('up');
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
  },
);
