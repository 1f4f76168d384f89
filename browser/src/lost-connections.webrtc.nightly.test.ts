// Tests of a page on transport-webrtc that loses its connection to Node: through a restart of the
// node, the loss of the network, sleep, and the end of the page. Both ends prove their node ids.

import { once } from 'node:events';
import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport, type TransportError } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import test, { type ExecutionContext } from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';
import { lines, QUICK } from './lines.ts';
import { NodeSignals } from './node-signals.ts';
import { ProxiedSignals } from './proxied-signals.ts';
import { askOf, TestServer } from './test-server.ts';
import { UdpProxy } from './udp-proxy.ts';

let browser: TestBrowser;
const inChromium = executablePath === undefined ? test.skip : test.serial;
const title = (text: string) => (executablePath === undefined ? `${text} (${NO_CHROMIUM})` : text);

test.before(async () => {
  if (executablePath !== undefined) browser = await TestBrowser.start();
});
test.after.always(() => browser?.close());

inChromium(title('a page and Node prove their node ids; another id is refused'), async (t) => {
  const { ask, openServer } = await openPage(t);
  const { server, identity } = await openServer();
  const address = server.transport.localAddr();
  void ask('call', `${identity.nodeId}@${address}`, 'wait', 60_000).catch(() => {});
  const { from } = await server.waiting();
  t.regex(from.nodeId ?? '', /^[0-9a-f]{64}$/);
  t.not(from.nodeId, identity.nodeId);
  t.like(await ask('call', `${createIdentity().nodeId}@${address}`, 'echo', 10_000), {
    reason: 'identity_mismatch',
    sent: false,
  });
});

inChromium(title('a page that holds a node dials it again after a restart'), async (t) => {
  const { ask, openServer } = await openPage(t);
  const { server, identity } = await openServer();
  const address = `${identity.nodeId}@${server.transport.localAddr()}`;
  await ask('hold', address);
  await server.next('up');
  const waiting = ask('call', address, 'wait', 60_000);
  await server.waiting();
  await server.transport.close();
  t.like(await waiting, { code: 'unavailable', sent: true });
  const { server: second } = await openServer(identity);
  await second.next('up');
  t.is((await ask('call', address, 'echo', 10_000)).code, 'ok');
});

inChromium(title('calls fail with their deadline while a node is not there'), async (t) => {
  const { ask, openServer } = await openPage(t);
  const { server } = await openServer();
  const address = server.transport.localAddr();
  t.is((await ask('call', address, 'wait', 300)).code, 'deadline_exceeded');
  await server.transport.close();
  await ask('disconnected');
  t.like(await ask('call', address, 'echo', 10_000), {
    code: 'unavailable',
    reason: 'connection_refused',
    sent: false,
  });
});

inChromium(
  title('calls fail with their deadline while the network is lost, and both ends find it out'),
  async (t) => {
    const proxy = await UdpProxy.start(8);
    t.teardown(() => proxy.close());
    const { ask, openServer } = await openPage(t, new ProxiedSignals(proxy));
    const { server } = await openServer();
    const address = server.transport.localAddr();
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
    await server.next('up');
    proxy.cut();
    const lost = await ask('call', address, 'echo', 200);
    t.like(lost, { code: 'deadline_exceeded', sent: true });
    const down = await ask('call', address, 'wait', 60_000);
    t.like(down, { code: 'unavailable', reason: 'ping_timeout' });
    await server.next('down');
    t.like(await ask('call', address, 'echo', 60_000), {
      code: 'unavailable',
      reason: 'dial_timeout',
      sent: false,
    });
    proxy.mend();
    t.is((await ask('call', address, 'echo', 10_000)).code, 'ok');
  },
);

inChromium(title('a page that slept for longer than the keep-alive comes back'), async (t) => {
  const { ask, openServer } = await openPage(t);
  const { server } = await openServer();
  await ask('hold', server.transport.localAddr());
  await server.next('up');
  const wake = await browser.suspend();
  await server.next('down');
  wake();
  await server.next('up');
  t.pass();
});

inChromium(title('the calls of both ends fail when the page is closed'), async (t) => {
  const { page, ask, openServer } = await openPage(t);
  const { server } = await openServer();
  void ask('call', server.transport.localAddr(), 'wait', 60_000).catch(() => {});
  const { from, signal } = await server.waiting();
  const calling = t.throwsAsync<TransportError>(
    server.transport.send(from, 'wait', new Uint8Array(), { timeout: 60_000 }),
  );
  const aborted = signal.aborted ? undefined : once(signal, 'abort');
  await page.close();
  await aborted;
  t.is((await calling)?.code, 'unavailable');
});

/** Opens a page with a transport, and a realm of signaling that it shares with Node. */
async function openPage(t: ExecutionContext, signals = new NodeSignals()) {
  const { page, uncaught } = await browser.open('webrtc-lines', {
    nodeCall: (name: string, ...args: unknown[]) =>
      (signals as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
  });
  t.teardown(async () => {
    await page.close();
    if (uncaught.length > 0) throw new Error(uncaught.join('\n'));
  });
  return {
    page,
    ask: askOf((expression) => page.evaluate(expression)),
    /** Opens a node that is registered as 'server'. */
    async openServer(identity: Identity = createIdentity()) {
      const signal = signals.signal('server');
      const transport = createTransport('webrtc://0', {
        protocol: lines,
        backends: [webrtc({ signal, identity })],
        keepAlive: QUICK,
      });
      return { server: await TestServer.listen(t, transport), identity };
    },
  };
}
