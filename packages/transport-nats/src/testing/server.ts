// One NATS server for all tests of a file, and tests that are skipped if there is no server.

import { type NatsServer, startNatsServer, unable } from '@trunkline/local-nats';
import test, { type ExecutionContext } from 'ava';

const reason = unable();

/** Starts a server that ends after the tests of the file; undefined if nats-server is missing. */
export async function serverOfFile(): Promise<NatsServer | undefined> {
  if (reason !== undefined) {
    test.skip(`everything over NATS (${reason})`, () => {});
    return undefined;
  }
  const server = await startNatsServer();
  test.after.always(() => server.kill());
  return server;
}

/** `test` where nats-server is installed; otherwise a skip with the reason in its title. */
export function natsTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (reason === undefined) test(title, run);
  else test.skip(`${title} (${reason})`, () => {});
}
