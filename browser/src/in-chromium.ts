// Runs suites of a page under AVA: each case is a test, which asks the page to run it.

import { createServer } from 'node:https';
import { createIdentity, selfSigned } from '@trunkline/security';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import type { TestFn } from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';
import type { Place } from './node-calls.ts';
import { NodeLayers } from './node-layers.ts';
import { NodeSignals } from './node-signals.ts';
import type { PageCases } from './page/run-cases.ts';

export interface SuitesInPage {
  /** The module of the page: 'ws' stands for page/ws.ts. */
  readonly page: string;
  /** Names of suites that the page offers. */
  readonly suites: readonly string[];
  /** Runs only the cases whose titles contain one of these texts. Default: all. */
  readonly only?: readonly string[];
  /** The layers that listen in Node. Default: WebSocket. */
  readonly node?: 'ws' | 'wss' | 'webrtc';
}

/** Declares a test for each case of the suites; await it at the top level of a test file. */
export async function suitesInChromium(test: TestFn, options: SuitesInPage): Promise<void> {
  if (executablePath === undefined) {
    test.skip(`${options.suites.join(', ')} in a page (${NO_CHROMIUM})`, () => {});
    return;
  }
  const browser = await TestBrowser.start();
  const { create, calls, close } = await nodeEnd(options.node ?? 'ws');
  const layers = await NodeLayers.start(create);
  const { page, uncaught } = await browser.open(options.page, {
    nodeCall: (name: string, ...args: unknown[]) => {
      const owner = (name in layers ? layers : calls) as unknown as NodeFunctions;
      return owner[name]!(...args);
    },
  });
  const ask = <N extends keyof PageCases>(name: N, ...args: Parameters<PageCases[N]>) =>
    page.evaluate<Awaited<ReturnType<PageCases[N]>>>(`${name}(...${JSON.stringify(args)})`);

  const cases = await ask('declareCases', options.suites);

  // AVA starts as soon as a test is declared and the file waits for something.
  test.after.always(async () => {
    await browser.close();
    await layers.stop();
    close();
  });
  for (const { title, isSkipped } of cases) {
    if (options.only?.some((text) => title.includes(text)) === false) continue;
    if (isSkipped) test.skip(title, () => {});
    else
      test(title, async (t) => {
        const failure = await ask('runCase', title);
        if (failure === undefined) t.pass();
        else t.fail(failure);
      });
  }
  test.after(`${options.page}: nothing in the page is left uncaught`, async (t) => {
    t.deepEqual([...uncaught, ...(await ask('unhandled'))], []);
  });
}

type NodeFunctions = Record<string, (...args: unknown[]) => unknown>;

/** The end of the connections in Node. */
interface NodeEnd {
  create(place: Place): StreamLayer;
  /** Further functions for the page. */
  readonly calls: object;
  close(): void;
}

async function nodeEnd(kind: 'ws' | 'wss' | 'webrtc'): Promise<NodeEnd> {
  if (kind === 'ws') return { create: createWsStreamLayer, calls: {}, close() {} };
  if (kind === 'webrtc') {
    const signals = new NodeSignals();
    return { create: (place) => signals.layer(place), calls: signals, close() {} };
  }
  const identity = createIdentity({ type: 'p256' }); // Chromium has no Ed25519 in TLS.
  const server = createServer({ key: identity.key, cert: await selfSigned(identity) });
  server.setMaxListeners(0);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let paths = 0;
  return {
    create({ bindAddr, advertiseAddr }) {
      const path = bindAddr === undefined ? `/layer-${++paths}` : new URL(bindAddr).pathname;
      return createWsStreamLayer({ server, path, advertiseAddr });
    },
    calls: {},
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
