// Tests of the session suite itself.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { faulty, type TestFunction } from '@trunkline/transport-testkit';
import test from 'ava';
import { HostilePipes } from '../hostile-pipes.ts';
import { sessionSuite } from './session-suite.ts';

test('a case on a connection that loses everything names the event that it waits for', async (t) => {
  const cases = new Map<string, Parameters<TestFunction>[1]>();
  const pipes = new HostilePipes('deaf');
  sessionSuite((title, run) => void cases.set(title, run), {
    name: 'deaf',
    place: () => ({
      layer: () => pipes.layer(),
      transport: ({ clock, ...options }) =>
        new NetworkTransport({
          ...options,
          clock,
          stream: faulty(pipes.layer(), { clock, halfOpen: true }),
        }),
    }),
  });
  const run = cases.get(
    'deaf: alive: the transport answers any PING at once with a PONG of the same id (as acceptor)',
  );
  const error = await t.throwsAsync(async () => run?.(t));
  t.regex(error?.message ?? '', /waits for: HELLO at the raw peer/);
});
