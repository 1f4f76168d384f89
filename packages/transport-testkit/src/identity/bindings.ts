// Cases about the channel binding, a value that ties a proof to one connection; only the two ends
// of the connection share it.

import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import type { TestContext } from '../test-runner.ts';
import { equalBytes, pattern } from '../transport/values.ts';
import type { IdentityCredentials } from './backend.ts';
import type { IdentityFixture } from './identity-fixture.ts';
import type { Cases } from './suite.ts';

export const bindingCases: Cases = (define) => {
  define('a binding is the same at both ends, and differs for every connection', async (f, t) => {
    const [here, there] = [await f.backend.credentials(), await f.backend.credentials()];
    const pair = await pairs(f, here, there);
    const all: Uint8Array[] = [];
    for (let i = 0; i < 5; i++) {
      const { dialed, accepted } = await pair();
      const binding = shared(t, dialed, accepted);
      t.false(
        all.some((other) => equalBytes(other, binding)),
        'no two connections have the same',
      );
      all.push(binding);
      t.is(dialed.nodeId, there.nodeId);
      t.is(accepted.nodeId, here.nodeId);
      t.is(dialed.refused, undefined);
      t.is(accepted.refused, undefined);
    }
  });

  define(
    'a binding stays the same during traffic, and is the same at both ends of a relay that neither knows of',
    async (f, t) => {
      const [here, there] = [await f.backend.credentials(), await f.backend.credentials()];
      const { dialed, accepted } = await (await pairs(f, here, there, true))();
      const before = shared(t, dialed, accepted).slice();
      for (const connection of [dialed, accepted]) connection.write(pattern(1_000));
      await f.quiet();
      t.true(equalBytes(shared(t, dialed, accepted), before));
      t.is(dialed.nodeId, there.nodeId);
      t.is(accepted.nodeId, here.nodeId);
    },
  );
};

function shared(t: TestContext, dialed: StreamConnection, accepted: StreamConnection): Uint8Array {
  const { binding } = dialed;
  t.true(binding !== undefined && accepted.binding !== undefined, 'both ends have one');
  t.true(binding!.length >= 32, 'it has at least 32 bytes');
  t.true(equalBytes(binding!, accepted.binding!), 'it is the same at both ends');
  t.true(new Set(binding).size > 8, 'it is no constant');
  return binding!;
}

/**
 * Dials one layer from another, through a relay if `isRelayed`; each call of the returned function
 * makes a connection and resolves with its two ends. The calls must not overlap.
 */
async function pairs(
  f: IdentityFixture,
  here: IdentityCredentials,
  there: IdentityCredentials,
  isRelayed = false,
): Promise<() => Promise<{ dialed: StreamConnection; accepted: StreamConnection }>> {
  const [dialer, acceptor]: StreamLayer[] = [f.backend.layer(here), f.backend.layer(there)];
  f.atEnd(() => acceptor!.close());
  f.atEnd(() => dialer!.close());
  const accepted: StreamConnection[] = [];
  await acceptor!.listen((connection, pass) => {
    pass?.leave();
    attach(f, connection);
    accepted.push(connection);
  });
  const own = acceptor!.localAddr();
  const address = isRelayed ? (await f.relay({ at: own })).at : own;
  let made = 0;
  return async () => {
    const dialed = await dialer!.dial(address, { timeout: 60_000 });
    attach(f, dialed);
    const n = made++;
    await f.until('the connection is accepted', () => accepted.length > n);
    return { dialed, accepted: accepted[n]! };
  };
}

function attach(f: IdentityFixture, connection: StreamConnection): void {
  connection.attach({ data: () => {}, frames: () => {}, drained: () => {}, closed: () => {} });
  f.atEnd(() => connection.destroy());
}
