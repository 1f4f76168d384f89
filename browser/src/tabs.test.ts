// Tests of pages that dial each other over WebRTC: two tabs of one browser, and two browsers. They
// find each other over a hub in Node.

import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import test, { type ExecutionContext } from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';
import type { TabPage } from './tabs.ts';

const inChromium = executablePath === undefined ? test.skip : test;
const title = (text: string) => (executablePath === undefined ? `${text} (${NO_CHROMIUM})` : text);

inChromium(title('two tabs of one browser call each other'), async (t) => {
  const browser = await startBrowser(t);
  await callBothWays(t, [browser, browser]);
});

inChromium(title('pages in two browsers call each other'), async (t) => {
  await callBothWays(t, [await startBrowser(t), await startBrowser(t)]);
});

inChromium(title('a call to a tab that is closed fails with unavailable'), async (t) => {
  const browser = await startBrowser(t);
  const hub = await startHub(t);
  const [one, two] = [await openTab(t, browser, hub), await openTab(t, browser, hub)];
  t.is((await one.ask('call', two.nodeId, 'echo', 10)).code, 'ok');
  const waiting = one.ask('call', two.nodeId, 'wait', 10);
  await two.close();
  t.is((await waiting).code, 'unavailable');
  t.is((await one.ask('call', two.nodeId, 'echo', 10)).code, 'unavailable');
});

inChromium(
  title(
    'a tab with as many peer connections as Chromium allows is told so when it dials and when it is dialed, until it closes them',
  ),
  async (t) => {
    const browser = await startBrowser(t);
    const hub = await startHub(t);
    const [one, two] = [await openTab(t, browser, hub), await openTab(t, browser, hub)];
    t.is(await one.ask('fill'), 'UnknownError');
    const dialing = await one.ask('call', two.nodeId, 'echo', 10);
    t.is(dialing.code, 'resource_exhausted');
    t.regex(dialing.message!, /the dialer has as many peer connections as its browser allows/);
    const dialed = await two.ask('call', one.nodeId, 'echo', 10);
    t.is(dialed.code, 'resource_exhausted');
    t.regex(dialed.message!, /the listener has as many peer connections as its browser allows/);
    // A closed peer connection counts until Chromium has collected it, which one round may not do.
    let answer = await one.ask('call', two.nodeId, 'echo', 10);
    while (answer.code === 'resource_exhausted') {
      await one.ask('release');
      answer = await one.ask('call', two.nodeId, 'echo', 10);
    }
    t.is(answer.code, 'ok', answer.message);
  },
);

/** Checks that a page of each browser reaches the other one, and that both prove their ids. */
async function callBothWays(t: ExecutionContext, browsers: [TestBrowser, TestBrowser]) {
  const hub = await startHub(t);
  const [one, two] = [await openTab(t, browsers[0], hub), await openTab(t, browsers[1], hub)];
  const call = await one.ask('call', two.nodeId, 'echo', 100_000);
  t.like(call, { code: 'ok', length: 100_000, direction: 'out', nodeId: two.nodeId }, call.message);
  t.regex(call.endpoint!, /^webrtc:/);
  const back = await two.ask('call', one.nodeId, 'echo', 100_000);
  t.like(back, { code: 'ok', length: 100_000, nodeId: one.nodeId }, back.message);
}

async function startBrowser(t: ExecutionContext): Promise<TestBrowser> {
  const browser = await TestBrowser.start();
  t.teardown(() => browser.close());
  return browser;
}

/** Starts a hub on WebSocket; returns its address. */
async function startHub(t: ExecutionContext): Promise<string> {
  const transport = createTransport('ws://127.0.0.1:0', {
    protocol: signalingProtocol,
    backends: [ws()],
  });
  createSignalHub({ transport });
  t.teardown(() => transport.close());
  await transport.listen();
  return transport.localAddr();
}

/** Opens a page that has joined the hub. */
async function openTab(t: ExecutionContext, browser: TestBrowser, hub: string) {
  const { page, uncaught } = await browser.open('tab');
  t.teardown(() => {
    if (uncaught.length > 0) throw new Error(uncaught.join('\n'));
  });
  const ask = <N extends keyof TabPage>(name: N, ...args: Parameters<TabPage[N]>) =>
    page.evaluate<Awaited<ReturnType<TabPage[N]>>>(`${name}(...${JSON.stringify(args)})`);
  return { ask, nodeId: await ask('join', hub), close: () => page.close() };
}
