// Cases about leaks: after hundreds of cycles, handles, timers and heap are back where they were.

import type { TestContext } from '../test-runner.ts';
import type { Fixture } from './fixture.ts';
import { type KitTransport, kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { utf8 } from './values.ts';

export const leakCases: Cases = (define) => {
  define.alone(
    'hundreds of transports that open, call and close leave no handles and no heap behind',
    async (f, t) => {
      const peer = await open(f);
      serveKit(peer);
      await unchanged(f, t, async () => {
        const transport = await open(f);
        f.link(transport, peer);
        await transport.send(peer.advertiseAddr(), 'echo', utf8('hello'));
        await f.drive(transport.close());
      });
      await f.until('all connections are gone', () => peer.remotes().length === 0);
      await f.drive(peer.close());
    },
  );

  define.alone(
    'hundreds of connections that open and close leave nothing behind at either end',
    async (f, t) => {
      const [a, b] = [await open(f), await open(f)];
      serveKit(b);
      await unchanged(f, t, async () => {
        f.link(a, b);
        await a.send(b.advertiseAddr(), 'echo', utf8('hello'));
        await f.drive(a.disconnect(b.advertiseAddr()));
      });
      await f.until('all connections are gone', () => b.remotes().length === 0);
      await f.drive(Promise.all([a.close(), b.close()]));
    },
  );
};

/**
 * Creates a transport that the fixture does not know, because the fixture's own record of it would
 * be a leak. The case closes it; if the case fails, it stays open.
 */
async function open(f: Fixture): Promise<KitTransport> {
  const transport = f.backend.create({ protocol: kit, clock: f.clock });
  await transport.listen();
  return transport;
}

async function unchanged(f: Fixture, t: TestContext, cycle: () => Promise<void>): Promise<void> {
  t.timeout(LIMIT, 'the cycles go on, but too slowly');
  for (let i = 0; i < WARM_UP; i++) await cycle();
  const before = await measure(f);
  for (let i = 0; i < CYCLES; i++) await cycle();
  const after = await measure(f);
  t.true(
    after.resources <= before.resources + SLACK_RESOURCES,
    `${before.resources} resources before, ${after.resources} after: ${after.names}`,
  );
  t.true(after.timers <= before.timers, `${before.timers} timers before, ${after.timers} after`);
  if (f.backend.probe?.collect !== undefined)
    t.true(
      after.heap <= before.heap + SLACK_HEAP,
      `${before.heap} bytes of heap before, ${after.heap} after`,
    );
}

async function measure(f: Fixture) {
  const { probe } = f.backend;
  await f.turns(20);
  probe?.collect?.();
  const names = probe?.resources() ?? [];
  return {
    resources: names.length,
    names: [...names].sort().join(' '),
    heap: probe?.heapUsed() ?? 0,
    timers: f.clock.timers,
  };
}

const CYCLES = 300;
/** The number of warm-up cycles, after which code is compiled and caches are full. */
const WARM_UP = 100;
/**
 * The time limit for all cycles, in milliseconds of real time: one cycle takes 20 ms over WebRTC,
 * and longer on a busy machine.
 */
const LIMIT = 10 * 60_000;
/**
 * Maximum number of resources that may be left, such as sockets of the last cycle that the system
 * is still closing.
 */
const SLACK_RESOURCES = 5;
/**
 * Maximum number of bytes by which the heap may grow: 8 KiB per cycle; a connection alone takes
 * many times that.
 */
const SLACK_HEAP = 8 * 1024 * CYCLES;
