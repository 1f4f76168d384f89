// A thousand lives and nothing left: handles, timers and heap are where they were.

import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import type { Fixture } from './fixture.ts';
import { textOf, utf8 } from './values.ts';

export const leakCases: Cases = (define) => {
  // FAULTS 78, PEERS 2i-1, 2i-8, SEEDS 49
  define.alone('a thousand transports that open, call and close leave handles and heap where they were', async (f, t) => {
    const peer = await f.open(kit);
    serveKit(peer);
    for (let i = 0; i < WARM_UP; i++) await cycle(f, peer);
    const before = await measure(f);
    for (let i = 0; i < CYCLES; i++) await cycle(f, peer);
    const after = await measure(f);
    t.true(after.resources <= before.resources + SLACK_RESOURCES, `${before.resources} resources before, ${after.resources} after: ${after.names}`);
    if (after.collected) t.true(after.heap <= before.heap + SLACK_HEAP, `${before.heap} bytes of heap before, ${after.heap} after`);
    t.is(peer.remotes().length, 0);
  });

  // FAULTS 74, 78
  define.alone('connections that come and go a thousand times leave nothing at either end', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    const cycleOnce = async () => {
      f.link(a, b);
      t.is(textOf(await a.send(at, 'echo', utf8('hello'))), 'hello');
      await f.drive(a.disconnect(at));
    };
    for (let i = 0; i < WARM_UP; i++) await cycleOnce();
    await f.until('all are gone', () => b.remotes().length === 0);
    const before = await measure(f);
    const timers = f.clock.timers;
    for (let i = 0; i < CYCLES; i++) await cycleOnce();
    await f.until('all are gone', () => b.remotes().length === 0);
    const after = await measure(f);
    t.true(after.resources <= before.resources + SLACK_RESOURCES, `${before.resources} resources before, ${after.resources} after: ${after.names}`);
    if (after.collected) t.true(after.heap <= before.heap + SLACK_HEAP, `${before.heap} bytes of heap before, ${after.heap} after`);
    t.true(f.clock.timers <= timers, `${timers} timers before, ${f.clock.timers} after`);
  });
};

async function cycle(f: Fixture, peer: Parameters<Fixture['link']>[0]): Promise<void> {
  // Made by the backend itself: the fixture remembers what it makes, which would be a leak of its own.
  const transport = f.backend.create({ protocol: kit, clock: f.clock });
  f.link(transport, peer);
  await transport.listen();
  await transport.send(peer.advertiseAddr(), 'echo', utf8('hello'));
  await f.drive(transport.close());
}

async function measure(f: Fixture) {
  const { probe } = f.backend;
  await f.turns(20);
  probe?.collect?.();
  const names = [...(probe?.resources() ?? [])].sort();
  return { resources: names.length, names: names.join(' '), heap: probe?.heapUsed() ?? 0, collected: probe?.collect !== undefined };
}

const CYCLES = 1_000;
/** Until code is compiled and caches are full. */
const WARM_UP = 50;
/** A closing socket or two of the last cycle, which the system still holds. */
const SLACK_RESOURCES = 5;
/** 2 KiB a cycle: a transport and its connection take many times that. */
const SLACK_HEAP = 2 * 1024 * CYCLES;
