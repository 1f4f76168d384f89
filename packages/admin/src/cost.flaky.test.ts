// Measures what two watchers cost a node, in CPU time of its process: 100 connections, each of
// which makes five calls a second, so that every sample finds changes in all of them.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createTransport, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { adminProtocol, followNode } from './index.ts';
import { greeter } from './testing/fixture.ts';

const CONNECTIONS = 100;
const SECONDS = 6;
const PAIRS = 5;

test('two watchers cost a node less than one percent of a core', async (t) => {
  t.timeout(180_000);
  const path = fileURLToPath(new URL('testing/measured-node.child.js', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const address: string = (await lines.next()).value;
  const used = async () => {
    child.stdin.write('\n');
    return Number((await lines.next()).value) / 1_000_000;
  };
  const clients = Array.from({ length: CONNECTIONS }, () =>
    createTransport({ protocol: greeter, backends: [tcp()] }),
  );
  let running = true;
  const work = clients.map(async (client) => {
    while (running) {
      await client.send(address, 'greet', 'Ada');
      await systemClock.sleep(200);
    }
  });
  const measure = async () => {
    const [before, since] = [await used(), systemClock.now()];
    await systemClock.sleep(SECONDS * 1_000);
    return ((await used()) - before) / ((systemClock.now() - since) / 1_000);
  };
  let states = 0;
  const follow = async (node: Client<typeof adminProtocol>, signal: AbortSignal): Promise<void> => {
    for await (const { connections } of followNode(node, { signal }))
      if (Object.keys(connections).length >= CONNECTIONS) states++;
  };
  const nodes = clients.slice(0, 2).map((client) => client.mount(adminProtocol).to(address));
  const watched = async () => {
    const abort = new AbortController();
    const watchers = nodes.map((node) => follow(node, abort.signal));
    const share = await measure();
    abort.abort();
    await Promise.allSettled(watchers);
    return share;
  };
  await watched(); // Until V8 has compiled the code.
  const pairs = [];
  for (let i = 0; i < PAIRS; i++) pairs.push([await measure(), await watched()] as const);
  running = false;
  await Promise.all(work);
  await Promise.all(clients.map((client) => client.close()));
  child.stdin.end();
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  for (const [without, withTwo] of pairs)
    t.log(`CPU of the node: ${percent(without)} without watchers, ${percent(withTwo)} with two`);
  const costs = pairs.map(([without, withTwo]) => withTwo - without).sort((x, y) => x - y);
  t.log(`two watchers cost ${percent(costs[PAIRS >> 1]!)} (median), ${states} states`);
  t.true(states >= PAIRS * SECONDS);
  t.true(costs[PAIRS >> 1]! < 0.01);
});
