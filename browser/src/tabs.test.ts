// Tests of pages that dial each other over WebRTC: two tabs of one browser, and two browsers. They
// find each other over a hub in Node.

import type { ExecutionContext } from 'ava';
import { inChromium, TestBrowser } from './chromium.ts';
import { startHub } from './test-server.ts';

inChromium('two tabs of one browser call each other, until one is closed', async (t, browser) => {
  const [one, two] = await callBothWays(t, browser, browser);
  const waiting = one.ask('call', two.address, 'wait', { timeout: 60_000 });
  await two.page.close();
  t.is((await waiting).code, 'unavailable');
  t.is((await one.ask('call', two.address, 'echo')).code, 'unavailable');
});

inChromium('pages in two browsers call each other', async (t, browser) => {
  const other = await TestBrowser.start();
  t.teardown(() => other.close());
  await callBothWays(t, browser, other);
});

inChromium(
  'a tab with as many peer connections as Chromium allows is told so when it dials and when it is dialed, until it closes them',
  async (t, browser) => {
    const hub = await startHub(t);
    const [one, two] = [await openTab(t, browser, hub), await openTab(t, browser, hub)];
    t.is(await one.ask('fill'), 'UnknownError');
    const dialing = await one.ask('call', two.address, 'echo');
    t.is(dialing.code, 'resource_exhausted');
    t.regex(dialing.message!, /the dialer has as many peer connections as its browser allows/);
    const dialed = await two.ask('call', one.address, 'echo');
    t.is(dialed.code, 'resource_exhausted');
    t.regex(dialed.message!, /the listener has as many peer connections as its browser allows/);
    // A closed peer connection counts until Chromium has collected it, which one round may not do.
    let answer = await one.ask('call', two.address, 'echo');
    while (answer.code === 'resource_exhausted') {
      await one.ask('release');
      answer = await one.ask('call', two.address, 'echo');
    }
    t.is(answer.code, 'ok', answer.message);
  },
);

/** Checks that a page of each browser reaches the other one, and that both prove their ids. */
async function callBothWays(t: ExecutionContext, ...browsers: [TestBrowser, TestBrowser]) {
  const hub = await startHub(t);
  const [one, two] = [await openTab(t, browsers[0], hub), await openTab(t, browsers[1], hub)];
  const size = 100_000;
  const call = await one.ask('call', two.address, 'echo', { size });
  t.like(call, { code: 'ok', length: size }, call.message);
  t.like(call.remote, { direction: 'out', nodeId: two.nodeId });
  t.regex(call.remote!.endpoint, /^webrtc:/);
  const back = await two.ask('call', one.address, 'echo', { size });
  t.like(back, { code: 'ok', length: size }, back.message);
  t.is(back.remote!.nodeId, one.nodeId);
  return [one, two] as const;
}

/** Opens a page that has joined the hub. */
async function openTab(t: ExecutionContext, browser: TestBrowser, hub: string) {
  const opened = await browser.open(t);
  const nodeId = await opened.ask('join', hub);
  return { ...opened, nodeId, address: `${nodeId}@webrtc://${nodeId}` };
}
