// Cases of a page that loses its connection, on any carrier: through a restart of the server, the
// loss of the network, sleep, and the end of the page.

import { once } from 'node:events';
import type { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext, TestFn } from 'ava';
import { executablePath, NO_CHROMIUM, type OpenedPage, TestBrowser } from './chromium.ts';
import { askOf, type TestServer } from './test-server.ts';

/** A page with a transport, and servers that it can reach. */
export interface Line {
  readonly page: OpenedPage['page'];
  readonly ask: ReturnType<typeof askOf>;
  /** Opens a server. A second one takes the place of the first. */
  openServer(): Promise<TestServer>;
  /** Puts something between the page and a server that can lose the network. */
  proxied(server: TestServer): Promise<{ address: string; cut(): void; mend(): void }>;
}

/** Opens a page of this carrier for a test. */
export type OpenLine = (t: ExecutionContext, browser: TestBrowser) => Promise<Line>;

/**
 * Declares the cases. Returns a function that declares one more, in the same browser. They run one
 * by one, because some stop all pages.
 */
export function lostConnections(test: TestFn, open: OpenLine) {
  let browser: TestBrowser;
  test.before(async () => {
    if (executablePath !== undefined) browser = await TestBrowser.start();
  });
  test.after.always(() => browser?.close());
  const inChromium = (
    title: string,
    run: (t: ExecutionContext, line: Line, browser: TestBrowser) => Promise<void>,
  ) => {
    if (executablePath === undefined) test.skip(`${title} (${NO_CHROMIUM})`, () => {});
    else test.serial(title, async (t) => run(t, await open(t, browser), browser));
  };

  inChromium('a page calls a server that was restarted', async (t, { ask, openServer }) => {
    const first = await openServer();
    const address = first.transport.localAddr();
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
    const waiting = ask('call', address, 'wait', 60_000);
    await first.waiting();
    await first.transport.close();
    t.like(await waiting, { code: 'unavailable', sent: true });
    t.like(await ask('call', address, 'echo', 10_000), { code: 'unavailable', sent: false });
    await openServer();
    t.is((await ask('call', address, 'echo', 10_000)).code, 'ok');
  });

  inChromium('a page that holds a target dials it again', async (t, { ask, openServer }) => {
    const first = await openServer();
    await ask('hold', first.transport.localAddr());
    await first.next('up');
    await first.transport.close();
    const second = await openServer();
    await second.next('up');
    t.pass();
  });

  inChromium(
    'calls fail with their deadline while the network is lost, and the page comes back',
    async (t, { ask, openServer, proxied }) => {
      const server = await openServer();
      const { address, cut, mend } = await proxied(server);
      t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
      await server.next('up');
      cut();
      const lost = await ask('call', address, 'echo', 200);
      t.like(lost, { code: 'deadline_exceeded', sent: true });
      const down = await ask('call', address, 'wait', 60_000);
      t.like(down, { code: 'unavailable', reason: 'ping_timeout' });
      await server.next('down');
      const failed = await ask('call', address, 'echo', 60_000);
      t.like(failed, { code: 'unavailable', reason: 'dial_timeout', sent: false });
      mend();
      t.is((await ask('call', address, 'echo', 10_000)).code, 'ok');
    },
  );

  inChromium('a page that slept calls again', async (t, { ask, openServer }, browser) => {
    const server = await openServer();
    const address = server.transport.localAddr();
    t.is((await ask('call', address, 'echo', 5_000)).code, 'ok');
    const wake = await browser.suspend();
    await server.next('down');
    wake();
    await ask('disconnected');
    t.is((await ask('call', address, 'echo', 10_000)).code, 'ok');
  });

  inChromium('a page that holds a target comes back after sleep', async (t, line, browser) => {
    const server = await line.openServer();
    await line.ask('hold', server.transport.localAddr());
    await server.next('up');
    const wake = await browser.suspend();
    await server.next('down');
    wake();
    await server.next('up');
    t.pass();
  });

  inChromium('the calls of both ends fail when the page is closed', async (t, line) => {
    const server = await line.openServer();
    const address = server.transport.localAddr();
    void line.ask('call', address, 'wait', 60_000).catch(() => {});
    const { from, signal } = await server.waiting();
    const calling = t.throwsAsync<TransportError>(
      server.transport.send(from, 'wait', new Uint8Array(), { timeout: 60_000 }),
    );
    const aborted = signal.aborted ? undefined : once(signal, 'abort');
    await line.page.close();
    await aborted;
    t.is((await calling)?.code, 'unavailable');
  });
  return inChromium;
}

/** Opens a page of the tests, which fails if something in it is left uncaught. */
export async function openPage(
  t: ExecutionContext,
  browser: TestBrowser,
  ...args: Parameters<TestBrowser['open']>
) {
  const { page, uncaught } = await browser.open(...args);
  t.teardown(async () => {
    await page.close();
    if (uncaught.length > 0) throw new Error(uncaught.join('\n'));
  });
  return { page, ask: askOf((expression) => page.evaluate(expression)) };
}
