// Clients that use the replicated register for some virtual seconds. Their history must be
// linearizable.

import { check, type NodeContext, type Simulation } from '@trunkline/simulation';
import { serve } from '@trunkline/transport-core';
import { type Life, Replica } from './replication.ts';
import {
  type Command,
  type ReplicationBug,
  type Result,
  replication,
} from './replication-protocol.ts';
import { Saved } from './saved.ts';

/** Returns the scenario with the bugs for which `planted` returns true. */
export function replicationScenario(planted: (bug: ReplicationBug) => boolean) {
  return async (sim: Simulation) => {
    // Three to five replicas, in no step with the profiles of a search.
    const size = 3 + Math.floor((Math.imul(sim.seed, 0x9e3779b1) >>> 0) / (2 ** 32 / 3));
    const members = Array.from({ length: size }, (_, at) => `n${at + 1}`);
    for (const name of members) sim.node(name, replica(members, planted));
    const history = check.createHistory(sim);
    const clients = Array.from({ length: CLIENTS }, (_, at) =>
      use(sim, members, history, `c${at + 1}`),
    );
    await sim.settle(Promise.all(clients), 2 * DURATION);
    const verdict = check.linearizable(history);
    if (verdict.linearizable !== true) throw new Error(verdict.text, { cause: verdict });
  };
}

/** Returns the setup of a replica. */
function replica(members: readonly string[], planted: (bug: ReplicationBug) => boolean) {
  return async (context: NodeContext) => {
    const net = context.transport(replication);
    const saved = new Saved<Life>(context);
    const last = await saved.read();
    const life = { number: (last?.number ?? 0) + 1, view: last?.view ?? 0 };
    const one = new Replica({ context, net, members, planted, saved, life });
    await one.save(life.view);
    serve(net, {
      execute: (request) => one.execute(request),
      prepare: (message) => one.prepare(message),
      prepareOk: (message) => one.prepareOk(message),
      commit: (message) => one.onCommit(message),
      getState: (message) => one.getState(message),
      newState: (message) => one.newState(message),
      startViewChange: (message) => one.startViewChange(message),
      doViewChange: (message) => one.doViewChange(message),
      startView: (message) => one.startView(message),
      recovery: (message) => one.recovery(message),
      recoveryResponse: (message) => one.recoveryResponse(message),
    });
    await net.listen();
    void one.run();
  };
}

/** Lets a client do one operation after the other. */
async function use(
  sim: Simulation,
  members: readonly string[],
  history: check.History,
  name: string,
): Promise<void> {
  const net = sim.client(replication, { name });
  const { clock, random } = net;
  let view = 0;
  let last: string | null = null;
  const execute = async (number: number, command: Command): Promise<Result | undefined> => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const target = members[view % members.length]!;
        const answer = await net.send(target, 'execute', { client: name, number, command });
        if (answer.result !== undefined) return answer.result;
        view = answer.view > view ? answer.view : view + 1;
      } catch {
        view++;
      }
      await clock.sleep(50);
    }
    return undefined;
  };
  for (let number = 1; sim.now < DURATION; number++) {
    await clock.sleep(300 * random());
    const value = `${name}.${number}`;
    const kind = random();
    if (kind < 0.5) {
      const call = history.call(name, { key: 'x', op: 'get' });
      const result = await execute(number, { op: 'get' });
      if (result === undefined) call.unknown();
      else call.ok((last = result as string | null) ?? undefined);
    } else if (kind < 0.75) {
      const call = history.call(name, { key: 'x', op: 'set', value });
      const result = await execute(number, { op: 'set', value });
      if (result === undefined) call.unknown();
      else call.ok(result as string | null);
    } else {
      const call = history.call(name, { key: 'x', op: 'cas', expected: last ?? undefined, value });
      const result = await execute(number, { op: 'cas', expected: last, value });
      if (result === undefined) call.unknown();
      else call.ok(result as boolean);
    }
  }
}

const CLIENTS = 3;
/** Attempts of an operation before its outcome is unknown. */
const ATTEMPTS = 6;
/** Virtual milliseconds. */
const DURATION = 15_000;
