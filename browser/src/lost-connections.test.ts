// Tests of a page on transport-ws that loses its connection: through a restart of the server, the
// loss of the network, sleep, and the end of the page.

import { once } from 'node:events';
import type { TransportError } from '@trunkline/transport-core';
import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import test, { type ExecutionContext } from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';
import { lines, QUICK } from './lines.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { askOf, TestServer } from './test-server.ts';

let browser: TestBrowser;
const inChromium = executablePath === undefined ? test.skip : test;
/** Declares a test that no other one runs beside, because it stops all pages. */
const alone = executablePath === undefined ? test.skip : test.serial;
const title = (text: string) => (executablePath === undefined ? `${text} (${NO_CHROMIUM})` : text);

test.before(async () => {
  if (executablePath !== undefined) browser = await TestBrowser.start();
});
test.after.always(() => browser?.close());

inChromium(
  title('a page calls a server that was restarted, without code of its own'),
  async (t) => {
    const { ask } = await openPage(t);
    const first = await openServer(t);
    const address = first.transport.localAddr();
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
    const waiting = ask('call', address, 'wait', 60_000);
    await first.waiting();
    await first.transport.close();
    t.like(await waiting, { code: 'unavailable', sent: true });
    t.like(await ask('call', address, 'echo', 5_000), { code: 'unavailable', sent: false });
    await openServer(t, address);
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
  },
);

inChromium(title('a page that holds a target dials it again without a call'), async (t) => {
  const { ask } = await openPage(t);
  const first = await openServer(t);
  const address = first.transport.localAddr();
  await ask('hold', address);
  await first.next('up');
  await first.transport.close();
  const second = await openServer(t, address);
  await second.next('up');
  t.pass();
});

inChromium(
  title('calls fail with their deadline while the network is lost, and the page comes back'),
  async (t) => {
    const { ask } = await openPage(t);
    const server = await openServer(t);
    const proxy = await TcpProxy.start(Number(new URL(server.transport.localAddr()).port));
    t.teardown(() => proxy.close());
    const address = `ws://127.0.0.1:${proxy.port}/`;
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
    proxy.cut();
    const lost = await ask('call', address, 'echo', 200);
    t.like(lost, { code: 'deadline_exceeded', sent: true });
    const down = await ask('call', address, 'wait', 60_000);
    t.like(down, { code: 'unavailable', reason: 'ping_timeout' });
    t.like(await ask('call', address, 'echo', 60_000), {
      code: 'unavailable',
      reason: 'dial_timeout',
      sent: false,
    });
    proxy.mend();
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
  },
);

alone(title('a page that slept for longer than the keep-alive calls again'), async (t) => {
  const { ask } = await openPage(t);
  const server = await openServer(t);
  const address = server.transport.localAddr();
  t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
  const wake = await browser.suspend();
  await server.next('down');
  wake();
  await ask('disconnected');
  t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
});

alone(title('a page that holds a target comes back after sleep without a call'), async (t) => {
  const { ask } = await openPage(t);
  const server = await openServer(t);
  await ask('hold', server.transport.localAddr());
  await server.next('up');
  const wake = await browser.suspend();
  await server.next('down');
  wake();
  await server.next('up');
  t.pass();
});

inChromium(
  title('calls of a frozen tab fail as soon as it runs again, and the tab comes back'),
  async (t) => {
    const { tab, ask } = await openFreezable();
    const server = await openServer(t);
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

inChromium(title('the calls of both ends fail when the page is closed'), async (t) => {
  const { page, ask } = await openPage(t);
  const server = await openServer(t);
  const address = server.transport.localAddr();
  void ask('call', address, 'wait', 60_000).catch(() => {});
  const { from, signal } = await server.waiting();
  const calling = t.throwsAsync<TransportError>(
    server.transport.send(from, 'wait', new Uint8Array(), { timeout: 60_000 }),
  );
  const aborted = signal.aborted ? undefined : once(signal, 'abort');
  await page.close();
  await aborted;
  t.is((await calling)?.code, 'unavailable');
});

/** Opens a page with a transport, and returns a function that calls its globals. */
async function openPage(t: ExecutionContext) {
  const { page, uncaught } = await browser.open('lines');
  t.teardown(async () => {
    await page.close();
    if (uncaught.length > 0) throw new Error(uncaught.join('\n'));
  });
  return { page, ask: askOf((expression) => page.evaluate(expression)) };
}

/** Opens a page with a transport in a tab that can be frozen. */
async function openFreezable() {
  const tab = await browser.openFreezable('lines');
  return { tab, ask: askOf((expression) => tab.evaluate(expression)) };
}

function openServer(t: ExecutionContext, address = 'ws://127.0.0.1:0'): Promise<TestServer> {
  return TestServer.listen(
    t,
    createTransport(address, { protocol: lines, keepAlive: QUICK, backends: [ws()] }),
  );
}
