// Runs rounds: the node's CPU time without watchers, and then with two. A hundred clients make five
// calls a second each, so that every state that a watcher receives has changes in all connections.

import { adminProtocol, followNode } from '@trunkline/admin';
import { type Client, createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { Child } from '../child-process.ts';
import type { RoundOptions } from '../round-options.ts';
import type { NodeReport } from './node.ts';
import { protocol } from './protocol.ts';

/** Shares of a core that the node used, and the number of states that the watchers received. */
export interface Round {
  readonly without: number;
  readonly watched: number;
  readonly states: number;
}

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  { rounds: count, warmUp, window }: RoundOptions,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const { child, report } = await Child.start<object, NodeReport>({
    name: 'the node',
    script: './admin/node.js',
  });
  const address = report.address!;
  const clients = Array.from({ length: CONNECTIONS }, () =>
    createTransport({ protocol, backends: [tcp()] }),
  );
  const watchers = clients.slice(0, WATCHERS).map((one) => one.mount(adminProtocol).to(address));
  let isOver = false;
  const work = Promise.all(
    clients.map(async (client) => {
      while (!isOver) {
        await client.send(address, 'greet', 'Ada');
        await sleep(PAUSE);
      }
    }),
  );
  /** Returns the share of a core that the node uses for a time. */
  const used = async (time: number): Promise<number> => {
    const [before, begin] = [(await child.run({})).cpu!, performance.now()];
    await Promise.race([sleep(time), work]); // A failure ends the wait.
    return ((await child.run({})).cpu! - before) / 1_000 / (performance.now() - begin);
  };
  const usedWatched = async (time: number): Promise<{ watched: number; states: number }> => {
    const abort = new AbortController();
    const following = watchers.map((node) => statesOf(node, abort.signal));
    const watched = await used(time);
    abort.abort();
    const states = (await Promise.all(following)).reduce((sum, each) => sum + each, 0);
    return { watched, states };
  };
  try {
    progress('warm-up', 0);
    await usedWatched(warmUp);
    const rounds: Round[] = [];
    for (let number = 0; number < count; number++) {
      progress(`round ${number + 1} of ${count}`, number / count);
      rounds.push({ without: await used(window), ...(await usedWatched(window)) });
    }
    return rounds;
  } finally {
    isOver = true;
    await Promise.allSettled([work]);
    await Promise.all(clients.map((client) => client.close()));
    await child.close();
  }
}

/** Watches until `signal` aborts; returns how many states had all connections. */
async function statesOf(node: Client<typeof adminProtocol>, signal: AbortSignal): Promise<number> {
  let states = 0;
  try {
    for await (const { connections } of followNode(node, { signal }))
      if (Object.keys(connections).length >= CONNECTIONS) states++;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return states;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export const CONNECTIONS = 100;
export const WATCHERS = 2;
/** Milliseconds between the calls of a client. */
const PAUSE = 200;
