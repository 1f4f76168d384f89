// Tests that WebRTC connections of a page leave nothing behind once they are closed.

import { readFileSync } from 'node:fs';
import { inChromium } from './chromium.ts';

inChromium(
  '400 connections that a page opens and closes leave no peer connection and no memory',
  async (t, browser) => {
    t.timeout(300_000);
    const { page, ask } = await browser.open(t);
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('Performance.enable');
    const openPeers = async () => {
      await devTools.send('HeapProfiler.collectGarbage');
      const { metrics } = await devTools.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'RTCPeerConnections')!.value;
    };
    const measured = async () => {
      // An end may keep its peer connection for a second, until the other end has read everything.
      let peers = await openPeers();
      for (let looks = 0; peers > 0 && looks < 500; looks++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        peers = await openPeers();
      }
      const rss = (await browser.processes('pages')).reduce(
        (sum, pid) => sum + residentMiB(pid),
        0,
      );
      return { peers, rss };
    };
    await ask('openAndClose', 200);
    const middle = await measured();
    await ask('openAndClose', 200);
    const end = await measured();
    t.log({ middle, end });
    t.is(end.peers, 0);
    t.true(end.rss < middle.rss + 16, `RSS grew from ${middle.rss} to ${end.rss} MiB`);
  },
);

function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kib) / 1024;
}
