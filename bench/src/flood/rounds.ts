// Runs rounds of a quiet part and one part for each flood, in another order each round.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { FloodKind } from './flood-kinds.ts';
import type { FlooderCommand, FlooderCounts, FlooderReport } from './flooder.ts';
import type { HonestCommand, HonestFigures, HonestReport } from './honest.ts';
import type { Options } from './options.ts';
import type { ServerCommand, ServerCounts, ServerReport } from './server.ts';

/** A part of a round: quiet, or with a flood. */
export type Part = 'quiet' | FloodKind;

export interface PartFigures {
  readonly honest: HonestFigures;
  readonly server: ServerCounts;
  readonly flood: FlooderCounts;
  /** The length of the part in seconds. */
  readonly seconds: number;
}

export type Round = ReadonlyMap<Part, PartFigures>;

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const parts: Part[] = ['quiet', ...options.kinds];
  const steps = options.rounds * parts.length;
  const { all, ...three } = await start(options);
  try {
    const rounds: Round[] = [];
    for (let number = 0; number < options.rounds; number++) {
      const round = new Map<Part, PartFigures>();
      for (let at = 0; at < parts.length; at++) {
        const part = parts[(at + number) % parts.length]!;
        progress(
          `round ${number + 1} of ${options.rounds}: ${part}`,
          (number * parts.length + at) / steps,
        );
        round.set(part, await measure(three, part, options));
      }
      rounds.push(round);
    }
    for (const child of [three.honest, three.flooder, three.server]) await child.close();
    return rounds;
  } catch (error) {
    for (const child of all) child.kill();
    throw error;
  }
}

interface Three {
  readonly server: Child<ServerCommand, ServerReport>;
  readonly honest: Child<HonestCommand, HonestReport>;
  readonly flooder: Child<FlooderCommand, FlooderReport>;
}

/**
 * Starts the three processes. With only two cores, server and honest peer share one, so that the
 * flooder's own work does not delay them.
 */
async function start({
  perSource,
  nodeFlags,
}: Options): Promise<Three & { all: readonly { kill(): void }[] }> {
  const [first, second, third] = cores;
  const all: { kill(): void }[] = [];
  try {
    const { child: server, report } = await Child.start<ServerCommand, ServerReport>({
      name: 'the server',
      script: './flood/server.js',
      args: [String(perSource)],
      core: first,
      flags: nodeFlags,
    });
    all.push(server);
    const args = [report.address!];
    const { child: honest } = await Child.start<HonestCommand, HonestReport>({
      name: 'the honest peer',
      script: './flood/honest.js',
      args,
      core: third === undefined ? first : third,
    });
    all.push(honest);
    const { child: flooder } = await Child.start<FlooderCommand, FlooderReport>({
      name: 'the flooder',
      script: './flood/flooder.js',
      args,
      core: second,
    });
    all.push(flooder);
    return { server, honest, flooder, all };
  } catch (error) {
    for (const child of all) child.kill();
    throw error;
  }
}

async function measure(
  { server, honest, flooder }: Three,
  part: Part,
  { window, rate, atOnce, calls }: Options,
): Promise<PartFigures> {
  const warmUp = window / 2;
  await server.run({ type: 'counts' });
  const begin = performance.now();
  const kind = part === 'quiet' ? undefined : part;
  const flooding = flooder.run({ kind, rate, atOnce, milliseconds: warmUp + window + NEWCOMER });
  const [{ figures }] = await Promise.all([honest.run({ calls, warmUp, window }), flooding]);
  const { counts } = await server.run({ type: 'counts' });
  const seconds = (performance.now() - begin) / 1_000;
  // The slots that a flood held are free again once the server has seen its connections end.
  await sleep(SETTLING);
  return { honest: figures!, server: counts!, flood: (await flooding).counts!, seconds };
}

/** Milliseconds that the flood goes on for the newcomer, and that the server gets to settle. */
const NEWCOMER = 300;
const SETTLING = 200;
