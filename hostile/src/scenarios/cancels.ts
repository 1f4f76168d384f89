// Attacks that open calls only to cancel them.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttackerConnection } from '../attacker-connection.ts';
import { Child } from '../child.ts';
import { issueCredentials } from '../credentials.ts';
import type { HonestCommand, HonestReport } from '../honest.ts';
import { CHANNEL, Method } from '../methods.ts';
import { p99Of } from '../outcome.ts';
import { type Finding, inTurn, type Scenario, type ScenarioRun } from '../scenario.ts';
import type { VictimCommand, VictimReport } from '../victim.ts';
import { COMPILING, FAST_HEAP } from '../warm-up.ts';
import { concat, frame, Kind } from '../wire.ts';

export const cancels: readonly Scenario[] = [
  inTurn(
    [
      cancelling({
        name: 'cancel-at-once',
        title: 'makes 100,000 calls a second, and cancels them at the end of the same write',
        method: Method.hold,
        write: (opens, cancels) => [...opens, ...cancels],
      }),
      cancelling({
        name: 'cancel-later',
        title: 'makes 100,000 calls a second, and cancels those of the write before',
        method: Method.hold,
        write: (opens, _cancels, before) => [...opens, ...before],
      }),
      cancelling({
        name: 'cancel-unheard',
        title: 'cancels 100,000 calls a second whose handlers ignore their signals',
        method: Method.unheeding,
        write: (opens, _cancels, before) => [...opens, ...before],
      }),
    ],
    {
      name: 'rapid-cancels',
      title: 'makes 100,000 calls a second and cancels them: in the same write, or in the next',
    },
  ),
];

interface CancelAttack {
  readonly name: string;
  readonly title: string;
  readonly method: number;
  /**
   * Returns the frames of one write: given are the requests of `AT_ONCE` calls, their cancels, and
   * the cancels of the calls of the write before.
   */
  readonly write: (
    opens: readonly Uint8Array[],
    cancels: readonly Uint8Array[],
    before: readonly Uint8Array[],
  ) => readonly Uint8Array[];
}

/** In turns, attacks a victim and sends the same bytes to a sink, while an honest peer measures. */
function cancelling({ name, title, method, write }: CancelAttack): Scenario {
  async function run(run: ScenarioRun): Promise<Finding> {
    const bed = await open(run);
    const control: HonestReport[] = [];
    const attacked: HonestReport[] = [];
    const writes = WRITES.map(({ opens, cancels }, at) =>
      concat(...write(opens(method), cancels, WRITES.at(at - 1)!.cancels)),
    );
    const rounds = run.isShort ? 1 : ROUNDS;
    const duration = run.isShort ? SHORT : run.duration;
    if (!run.isShort) await flood(COMPILING, writes, bed.attack);
    for (let round = 0; round < rounds; round++) {
      control.push(await measured(bed, run, () => flood(duration, writes, bed.sink)));
      attacked.push(await measured(bed, run, () => flood(duration, writes, bed.attack)));
    }
    const failed = attacked.reduce((sum, each) => sum + failures(each), 0);
    const of = attacked.reduce((sum, { times }) => sum + times.length, failed);
    return {
      answer: bed.answer(),
      honest: { succeeded: of - failed, of },
      p99: { control: p99Of(control), attacked: p99Of(attacked) },
      flaws: [],
    };
  }
  return { name, title, cases: [45], carrier: 'tcp', run };
}

interface Bed {
  readonly honest: Child<HonestCommand, HonestReport>;
  /** How the victim answered the attacker last. */
  readonly answer: () => string;
  readonly attack: (bytes: Uint8Array) => Promise<void>;
  readonly sink: (bytes: Uint8Array) => Promise<void>;
}

async function open(run: ScenarioRun): Promise<Bed> {
  const credentials = await issueCredentials();
  const carrier = 'tcp' as const;
  const victim = run.own(
    new Child<VictimCommand, VictimReport>('victim', { flags: FAST_HEAP }),
    (child) => child.close(),
  );
  const honest = run.own(new Child<HonestCommand, HonestReport>('honest'), (child) =>
    child.close(),
  );
  const { host, port, address } = await victim.ask({
    do: 'start',
    carrier,
    credentials,
    options: {},
    memory: 0,
  });
  await honest.ask({ do: 'start', carrier, credentials, address });
  if (!run.isShort) await honest.ask({ do: 'warm' });
  const target = { carrier, host, port, ...credentials.attacker, stranger: credentials.stranger };
  const admitted = async () =>
    run.own(await AttackerConnection.admitted(target), (each) => each.destroy());
  let attacker = await admitted();
  const server = createServer((socket) => socket.resume().on('error', () => {}));
  const sink = run.own(connect(await run.listening(server), '127.0.0.1'), (each) => each.destroy());
  return {
    honest,
    answer: () => attacker.outcome(),
    async attack(bytes) {
      if (attacker.isOver) attacker = await admitted();
      await attacker.push(bytes);
    },
    async sink(bytes) {
      if (!sink.write(bytes)) await once(sink, 'drain');
    },
  };
}

async function measured(
  { honest }: Bed,
  run: ScenarioRun,
  attack: () => Promise<void>,
): Promise<HonestReport> {
  await honest.ask({ do: 'measure' });
  await attack();
  if (!run.isShort) await sleep(QUIET);
  return honest.ask({ do: 'stop' });
}

/** Sends `RATE` calls a second for `duration` milliseconds. */
async function flood(
  duration: number,
  writes: readonly Uint8Array[],
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const begin = performance.now();
  for (let sent = 0; performance.now() - begin < duration; sent++) {
    await send(writes[sent % writes.length]!);
    const ahead = ((sent * AT_ONCE) / RATE) * 1_000 - (performance.now() - begin);
    if (ahead > 1) await sleep(ahead);
  }
}

function failures({ failed }: HonestReport): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

const RATE = 100_000;
const AT_ONCE = 500;
/** The calls of some writes. Their ids return when the calls have long been canceled. */
const WRITES = Array.from({ length: 40 }, (_, write) => {
  const ids = Array.from({ length: AT_ONCE }, (_, at) => 2 * (write * AT_ONCE + at) + 1);
  return {
    opens: (method: number) =>
      ids.map((id) => frame({ kind: Kind.request, id, channel: CHANNEL, method })),
    cancels: ids.map((id) => frame({ kind: Kind.cancel, id })),
  };
});
const ROUNDS = 3;
/** Milliseconds of a short run, and those in which the victim comes to rest after a long one. */
const SHORT = 300;
const QUIET = 200;
