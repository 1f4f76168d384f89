// A real WAMP router, fox-wamp, for tests.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { WebSocketServer } from 'ws';

const FoxRouter = createRequire(import.meta.url)('fox-wamp') as {
  new (): { listenWAMP(options: { host: string; port: number }): WebSocketServer };
};

/** A router that can be stopped, as in a crash, and started again on its port. */
export interface Router {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a router; it is stopped at the end of the test. */
export async function router(t: ExecutionContext): Promise<Router> {
  let server: WebSocketServer;
  let port = 0;
  const start = async () => {
    server = new FoxRouter().listenWAMP({ host: '127.0.0.1', port });
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const stop = async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  };
  await start();
  t.teardown(stop);
  return { url: `ws://127.0.0.1:${port}/`, start, stop };
}
