// Rolling restarts under calls of all kinds lose none of them.

import { createAuthority, createIdentity } from '@trunkline/security';
import type { Backend } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { KINDS, runRolling } from '../testing/rolling.ts';

const PORTS = Array(3).fill('tcp://127.0.0.1:0');

for (const [name, addresses, create] of [
  [
    'memory',
    ['inmem://a', 'inmem://b', 'inmem://c'],
    async () => {
      const backends = [inmem()];
      return () => backends;
    },
  ],
  ['TCP', PORTS, async () => () => [tcp()]],
  [
    'TLS',
    PORTS,
    async () => {
      const authority = await createAuthority();
      return async () => {
        const identity = createIdentity();
        const cert = await authority.issue(identity);
        return [tcp({ tls: { key: identity.key, cert, ca: authority.cert } })];
      };
    },
  ],
] as [string, string[], () => Promise<() => Backend[] | Promise<Backend[]>>][])
  test(`a rolling restart over ${name} fails no call of any kind`, async (t) => {
    const backends = await create();
    const { calls, failures, repeated } = await runRolling({ addresses, backends, load: 16 });
    t.log(calls, `${repeated} repeated`);
    t.deepEqual(failures.slice(0, 5), []);
    for (const kind of KINDS) t.true(calls[kind] > 0);
    t.true(repeated > 0);
  });
