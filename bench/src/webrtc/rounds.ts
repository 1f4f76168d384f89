// Runs rounds of measurements: every column in turn, in another order each round, and each with
// a server and a client of its own.

import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import { Chromium } from './chromium.ts';
import type { Command, Report } from './client.ts';
import { type Addresses, COLUMNS, type Column } from './columns.ts';
import type { Options, Place } from './options.ts';
import type { LinkFigures } from './tasks.ts';

/** The figures of a round, by the place of the client and the column. */
export type Round = ReadonlyMap<Place, ReadonlyMap<Column, LinkFigures>>;

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const { rounds: count, places, window, warmUp } = options;
  const chromium = places.includes('chromium') ? await Chromium.start() : undefined;
  const rounds: Round[] = [];
  const steps = count * places.length * COLUMNS.length;
  let step = 0;
  try {
    for (let number = 0; number < count; number++) {
      const round = new Map(places.map((place) => [place, new Map<Column, LinkFigures>()]));
      for (const [place, figures] of round) {
        for (let at = 0; at < COLUMNS.length; at++) {
          const column = COLUMNS[(at + number) % COLUMNS.length]!;
          progress(`round ${number + 1} of ${count}: ${column} from ${place}`, step++ / steps);
          figures.set(
            column,
            await withServer((addresses) => {
              const command = { column, addresses, window, warmUp };
              return place === 'node' ? inNode(command) : chromium!.measure(command);
            }),
          );
        }
      }
      rounds.push(round);
    }
    return rounds;
  } finally {
    await chromium?.close();
  }
}

async function withServer<T>(use: (addresses: Addresses) => Promise<T>): Promise<T> {
  const { child, report } = await Child.start<object, Addresses>({
    name: 'the server',
    script: './webrtc/server.js',
    core: cores[0],
  });
  try {
    return await use(report);
  } finally {
    child.kill();
  }
}

async function inNode(command: Command): Promise<LinkFigures> {
  const { child } = await Child.start<Command, Report>({
    name: 'the client',
    script: './webrtc/client.js',
    core: cores[1],
  });
  try {
    return (await child.run(command)).figures!;
  } finally {
    child.kill();
  }
}
