// Attacks through what programs add to a transport: administration, and the context of traces.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminProtocol, followNode } from '@trunkline/admin';
import { createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import { Child } from '../child.ts';
import { issueCredentials } from '../credentials.ts';
import type { HonestCommand, HonestReport } from '../honest.ts';
import { CHANNEL, Method } from '../methods.ts';
import { p99Of } from '../outcome.ts';
import type { ProgramCommand, ProgramReport } from '../program-victim.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { concat, frame, Kind, text } from '../wire.ts';

export const tools: readonly Scenario[] = [
  {
    name: 'admin-watch-flood',
    title: 'is a tool that may read the state, opens watches as fast as it can, and keeps them',
    cases: [],
    carrier: 'admin',
    run: floodOfWatches,
  },
  {
    name: 'trace-and-baggage',
    title: 'fills the metadata of its calls with contexts of traces and with baggage',
    cases: [],
    carrier: 'tracing',
    run: bombsOfContext,
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

async function bombsOfContext(run: ScenarioRun): Promise<Finding> {
  const { port, attacked } = await victimOf(run);
  const bombs = METADATA.flatMap((metadata) =>
    // Echo answers; `fail` calls another node on.
    [Method.echo, Method.fail].map(
      (method) => (id: number) =>
        frame({ kind: Kind.request, id, channel: CHANNEL, method, metadata }),
    ),
  );
  let [calls, answered] = [0, 0];
  const answers = new Set<string>();
  const { p99, growth, report, failed } = await attacked(
    async (target, goesOn) => {
      const attacker = await AttackerConnection.admitted(target);
      run.own(attacker, ({ socket }) => socket.destroy());
      while (goesOn() && !attacker.isOver) {
        const frames = bombs.map((make, at) => make(2 * (calls + at) + 1));
        calls += frames.length;
        await attacker.push(concat(...frames));
        await attacker.settled();
        await sleep(PAUSE);
      }
      const count = () => attacker.count(Kind.response) + attacker.count(Kind.error);
      // The answer of `fail` comes later than that to a PING.
      await Promise.race([attacker.until(() => answered + count() >= calls), sleep(PATIENCE)]);
      answered += count();
      answers.add(attacker.outcome());
    },
    () => sink(run, () => bombs.map((make, at) => make(2 * at + 1))),
  );
  const long = await AttackerConnection.admitted(targetOf(port));
  run.own(long, ({ socket }) => socket.destroy());
  const call = { kind: Kind.request, id: 1, channel: CHANNEL, method: Method.echo };
  long.send(frame({ ...call, metadata: [['traceparent', 'a'.repeat(8_192)]] }));
  answers.add(await long.over());
  const flaws = failed.map((code) => `honest calls failed: ${code}`);
  if (answered < calls) flaws.push(`${calls - answered} of ${calls} calls were not answered`);
  if (report.continued > 0) flaws.push(`${report.continued} spans continue a stranger's trace`);
  if (report.span > MOST_SPAN) flaws.push(`a span has ${report.span} characters`);
  if (report.carried > MOST_CARRIED)
    flaws.push(`a call of the victim carried ${report.carried} characters on`);
  if (long.goAway !== 'GO_AWAY 13/12') flaws.push(`more than 8 KiB of metadata: ${long.outcome()}`);
  return { answer: [...answers].join(', '), p99, growth, flaws };
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

/** Sends the same bytes to a socket that discards them, as often as the attack does. */
async function sink(run: ScenarioRun, make: () => readonly Uint8Array[]): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  const socket = connect(await run.listening(server), '127.0.0.1');
  run.own(socket, (each) => each.destroy());
  await once(socket, 'connect');
  const end = performance.now() + run.duration;
  while (performance.now() < end) {
    if (!socket.write(concat(...make()))) await once(socket, 'drain');
    await sleep(PAUSE);
  }
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const PARENT = `00-${TRACE}-${SPAN}-01`;
/** The metadata of calls, each almost as long as it may be. */
const METADATA: readonly (readonly (readonly [string, string])[])[] = [
  [
    ['traceparent', PARENT],
    ['tracestate', 'a=1,'.repeat(2_000)],
  ],
  [
    ['traceparent', PARENT],
    ['tracestate', `a=${'x'.repeat(8_000)}`],
  ],
  [
    ['traceparent', PARENT],
    ['tracestate', Array.from({ length: 120 }, (_, at) => `${at}=`).join()],
  ],
  [
    ['traceparent', PARENT],
    ['tracestate', ' '.repeat(510)],
  ],
  [['traceparent', `01-${TRACE}-${SPAN}-01-${'-'.repeat(8_000)}`]],
  [
    ['traceparent', `01-${TRACE}-${SPAN}-01-\n\u001b[31m`],
    ['tracestate', 'a=\u001b[31m\n\u202e'],
  ],
  [['traceparent', '0'.repeat(8_000)]],
  [
    ['traceparent', PARENT],
    ['baggage', 'k=v,'.repeat(2_000)],
  ],
  [
    ['traceparent', PARENT],
    ['baggage', `k=${'%41'.repeat(2_600)}`],
  ],
  Array.from({ length: 900 }, (_, at) => [`b${at}`, ''] as const),
  Array.from({ length: 600 }, () => ['traceparent', ''] as const),
  [
    ['traceparent', PARENT],
    ['tracestate', `a=${'x'.repeat(250)},b=${'y'.repeat(250)}`],
  ],
  [
    ['__proto__', PARENT],
    ['constructor', PARENT],
    ['traceparent', PARENT],
  ],
];

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
     * Measures honest calls while `control` runs, by default only a pause, and while `attack` runs,
     * in turn.
     */
    async attacked(attack: Attack, control: () => Promise<void> = () => sleep(run.duration)) {
      const quiet: HonestReport[] = [];
      const loud: HonestReport[] = [];
      const { rss } = await victim.ask({ do: 'mark' });
      // They alternate, so that a machine that is slow for a while is slow for both.
      for (let round = 0; round < (run.isShort ? 1 : ROUNDS); round++) {
        quiet.push(await measured(control));
        loud.push(await measured((goesOn) => attack(targetOf(port), goesOn)));
      }
      const report = await victim.ask({ do: 'look' });
      return {
        p99: { control: p99Of(quiet), attacked: p99Of(loud) },
        growth: { bytes: report.peak - rss, bound: GROWTH },
        report,
        failed: loud.flatMap((each) => Object.keys(each.failed)),
      };
    },
  };
}

function targetOf(port: number): Target {
  return { carrier: 'tcp', host: '127.0.0.1', from: '127.0.0.2', port, ...NO_KEYS };
}

const ADMIN = 6;
const DOWNLOAD = 2;
/** Rounds of the control and of the attack. */
const ROUNDS = 3;
/** Connections of the attacker that open and end watches. */
const ATTACKERS = 4;
/** The states of new watchers that a node takes in a second, and a few for the beginning. */
const MOST_STATES = 12;
const PLACES = 16;
/** Characters of a span's attributes and links: a trace state has at most 512. */
const MOST_SPAN = 1_000;
/** Characters of a traceparent, with its name. */
const MOST_CARRIED = 100;
/** Milliseconds between two rounds of bombs, which have about 150 KiB together. */
const PAUSE = 20;
/** Milliseconds for the last answers. */
const PATIENCE = 5_000;
const HONEST = 4;
const GROWTH = 128 * 2 ** 20;
