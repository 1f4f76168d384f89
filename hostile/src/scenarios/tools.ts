// Attacks through what programs add to a transport: administration, and the context of traces.

import { setTimeout as sleep } from 'node:timers/promises';
import { adminProtocol, followNode } from '@trunkline/admin';
import { createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import { Child } from '../child.ts';
import { issueCredentials } from '../credentials.ts';
import type { HonestCommand, HonestReport } from '../honest.ts';
import { p99Of } from '../outcome.ts';
import type { ProgramCommand, ProgramReport } from '../program-victim.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { frame, Kind, text } from '../wire.ts';

export const tools: readonly Scenario[] = [
  {
    name: 'admin-watch-flood',
    title: 'is a tool that may read the state, opens watches as fast as it can, and keeps them',
    cases: [],
    carrier: 'admin',
    run: floodOfWatches,
  },
];

async function floodOfWatches(run: ScenarioRun): Promise<Finding> {
  const { port, address, attacked } = await victimOf(run);
  const flaws: string[] = [];
  let states = 0;
  let lasted = 0;
  const { p99, growth } = await attacked(async (target, goesOn) => {
    const began = performance.now();
    const attackers = await Promise.all(
      Array.from({ length: ATTACKERS }, () => AttackerConnection.admitted(target)),
    );
    for (const attacker of attackers) run.own(attacker, ({ socket }) => socket.destroy());
    await Promise.all(
      attackers.map(async (attacker) => {
        for (let id = 1; goesOn() && !attacker.isOver; id += 2) {
          const before = attacker.count(Kind.item) + attacker.count(Kind.error);
          attacker.send(watch(id));
          await attacker.until(
            () => attacker.count(Kind.item) + attacker.count(Kind.error) > before || !goesOn(),
          );
          attacker.send(frame({ kind: Kind.cancel, id }));
        }
      }),
    );
    lasted = performance.now() - began;
    states = attackers.reduce((sum, attacker) => sum + attacker.count(Kind.item), 0);
  });
  const rate = states / (lasted / 1_000);
  if (rate > MOST_STATES) flaws.push(`it got ${rate.toFixed(0)} states a second`);
  // The same attacker keeps all places.
  const keeper = await AttackerConnection.admitted(targetOf(port));
  run.own(keeper, ({ socket }) => socket.destroy());
  for (let id = 1; id < 2 * PLACES; id += 2) keeper.send(watch(id, 'events'));
  await keeper.settled();
  const honest = { succeeded: 0, of: HONEST };
  for (let tool = 0; tool < HONEST; tool++) if (await seesState(run, address)) honest.succeeded++;
  return { answer: `${rate.toFixed(0)} states/s`, honest, p99, growth, flaws };
}

/** Returns true if an honest tool gets a state. */
async function seesState(run: ScenarioRun, address: string): Promise<boolean> {
  const protocol = defineProtocol({ name: 'tool', version: 1, channel: 0x21, methods: {} });
  const transport = createTransport({ protocol, backends: [tcp()] });
  run.own(transport, (each) => each.close());
  try {
    for await (const state of followNode(transport.mount(adminProtocol).to(address)))
      return state.node.state === 'open';
  } catch {}
  return false;
}

function watch(id: number, method: 'watch' | 'events' = 'watch'): Uint8Array {
  return frame({
    kind: Kind.request,
    id,
    channel: ADMIN,
    flags: DOWNLOAD,
    method: method === 'watch' ? 1 : 2,
    payload: text('{}'),
  });
}

type Target = Parameters<typeof AttackerConnection.admitted>[0];
type Attack = (target: Target, goesOn: () => boolean) => Promise<void>;

/** Starts a victim and an honest peer, each in a process of its own. */
async function victimOf(run: ScenarioRun) {
  const victim = run.own(new Child<ProgramCommand, ProgramReport>('program-victim'), (child) =>
    child.close(),
  );
  const honest = run.own(new Child<HonestCommand, HonestReport>('honest'), (child) =>
    child.close(),
  );
  const { port, address } = await victim.ask({ do: 'start' });
  const credentials = await issueCredentials();
  await honest.ask({ do: 'start', carrier: 'tcp', credentials, address });
  if (!run.isShort) await honest.ask({ do: 'warm' });

  async function measured(attack: (goesOn: () => boolean) => Promise<void>): Promise<HonestReport> {
    await honest.ask({ do: 'measure' });
    const end = performance.now() + run.duration;
    await attack(() => performance.now() < end);
    return honest.ask({ do: 'stop' });
  }

  return {
    port,
    address,
    victim,
    /**
     * Measures honest calls while `control` runs, by default only a pause, and while `attack` runs.
     */
    async attacked(attack: Attack, control: () => Promise<void> = () => sleep(run.duration)) {
      const quiet = await measured(control);
      const { rss } = await victim.ask({ do: 'mark' });
      const loud = await measured((goesOn) => attack(targetOf(port), goesOn));
      const report = await victim.ask({ do: 'look' });
      return {
        p99: { control: p99Of([quiet]), attacked: p99Of([loud]) },
        growth: { bytes: report.peak - rss, bound: GROWTH },
        report,
        failed: Object.keys(loud.failed),
      };
    },
  };
}

function targetOf(port: number): Target {
  const none = { key: '', cert: '' };
  return { carrier: 'tcp', host: '127.0.0.1', from: '127.0.0.2', port, ...none, stranger: none };
}

const ADMIN = 6;
const DOWNLOAD = 2;
/** Connections of the attacker that open and end watches. */
const ATTACKERS = 4;
/** The states of new watchers that a node takes in a second, and a few for the beginning. */
const MOST_STATES = 30;
const PLACES = 16;
const HONEST = 4;
const GROWTH = 64 * 2 ** 20;
