// Cases of a page that loses its connection, on any carrier: through a restart of the server, the
// loss of the network, sleep, and the end of the page.

import { once } from 'node:events';
import type { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { inChromium, type TestBrowser } from './chromium.ts';
import type { TestServer } from './test-server.ts';

/** A page, and servers that it can reach. */
export interface Line extends Awaited<ReturnType<TestBrowser['open']>> {
  /** Opens a server. A second one takes the place of the first. */
  openServer(): Promise<TestServer>;
}

/** Declares the cases; `open` opens a page and a carrier for one of them. */
export function lostConnections(
  open: (t: ExecutionContext, browser: TestBrowser) => Promise<Line>,
): void {
  const lineTest = (
    title: string,
    run: (t: ExecutionContext, line: Line, browser: TestBrowser) => Promise<void>,
  ) => inChromium(title, async (t, browser) => run(t, await open(t, browser), browser));

  lineTest('a page calls a server that was restarted', async (t, { ask, openServer }) => {
    const first = await openServer();
    const { address } = first;
    t.is((await ask('call', address, 'echo')).code, 'ok');
    const waiting = ask('call', address, 'wait', { timeout: 60_000 });
    await first.waiting();
    await first.transport.close();
    t.like(await waiting, { code: 'unavailable', sent: true });
    t.like(await ask('call', address, 'echo'), { code: 'unavailable', sent: false });
    await openServer();
    t.is((await ask('call', address, 'echo')).code, 'ok');
  });

  lineTest('a page that holds a target dials it again', async (t, { ask, openServer }) => {
    const first = await openServer();
    await ask('hold', first.address);
    await first.next('up');
    await first.transport.close();
    const second = await openServer();
    await second.next('up');
    t.pass();
  });

  lineTest(
    'calls fail with their deadline while the network is lost, and the page comes back',
    async (t, { ask, openServer }, browser) => {
      const server = await openServer();
      const { address } = server;
      t.is((await ask('call', address, 'echo')).code, 'ok');
      await server.next('up');
      // Both calls start before the loss: the page may find its connection dead 400 ms after it.
      const down = ask('call', address, 'wait', { timeout: 60_000 });
      const lost = ask('call', address, 'wait', { timeout: 200 });
      await server.waiting();
      const mend = await browser.stop(t, 'network');
      t.like(await lost, { code: 'deadline_exceeded', sent: true });
      t.like(await down, { code: 'unavailable', reason: 'ping_timeout' });
      await server.next('down');
      const failed = await ask('call', address, 'echo', { timeout: 60_000 });
      t.like(failed, { code: 'unavailable', reason: 'dial_timeout', sent: false });
      mend();
      t.like(await ask('call', address, 'echo'), { code: 'ok' });
    },
  );

  lineTest('a page that slept calls again', async (t, { ask, openServer }, browser) => {
    const server = await openServer();
    t.is((await ask('call', server.address, 'echo')).code, 'ok');
    const wake = await browser.stop(t, 'pages');
    await server.next('down');
    wake();
    await ask('disconnected');
    t.is((await ask('call', server.address, 'echo')).code, 'ok');
  });

  lineTest('a page that holds a target comes back after sleep', async (t, line, browser) => {
    const server = await line.openServer();
    await line.ask('hold', server.address);
    await server.next('up');
    const wake = await browser.stop(t, 'pages');
    await server.next('down');
    wake();
    await server.next('up');
    t.pass();
  });

  lineTest('the calls of both ends fail when the page is closed', async (t, line) => {
    const server = await line.openServer();
    void line.ask('call', server.address, 'wait', { timeout: 60_000 }).catch(() => {});
    const { from, signal } = await server.waiting();
    const calling = t.throwsAsync<TransportError>(
      server.transport.send(from, 'wait', new Uint8Array(), { timeout: 60_000 }),
    );
    const aborted = signal.aborted ? undefined : once(signal, 'abort');
    await line.page.close();
    await aborted;
    t.is((await calling)?.code, 'unavailable');
  });
}
