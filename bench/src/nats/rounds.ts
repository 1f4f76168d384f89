// Runs rounds of measurements: both columns in turn, in another order each round, and each with a
// NATS server, a server and a client of its own.

import { startNatsServer } from '@trunkline/local-nats';
import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { Figures } from '../echo-task.ts';
import type { Command, Report } from './client.ts';
import { COLUMNS, type Column } from './columns.ts';
import type { Options } from './options.ts';

/** The figures of a round, by column. */
export type Round = ReadonlyMap<Column, Figures>;

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  { rounds: count, window, warmUp }: Options,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  let step = 0;
  for (let number = 0; number < count; number++) {
    const round = new Map<Column, Figures>();
    for (let at = 0; at < COLUMNS.length; at++) {
      const column = COLUMNS[(at + number) % COLUMNS.length]!;
      progress(`round ${number + 1} of ${count}: ${column}`, step++ / (count * COLUMNS.length));
      round.set(column, await measured({ column, window, warmUp }));
    }
    rounds.push(round);
  }
  return rounds;
}

async function measured(times: Omit<Command, 'server'>): Promise<Figures> {
  const nats = await startNatsServer();
  try {
    const { child: server } = await Child.start<object, object>({
      name: 'the server',
      script: './nats/server.js',
      args: [nats.address],
      core: cores[0],
    });
    try {
      const { child: client } = await Child.start<Command, Report>({
        name: 'the client',
        script: './nats/client.js',
        core: cores[1],
      });
      try {
        return (await client.run({ ...times, server: nats.address })).figures!;
      } finally {
        client.kill();
      }
    } finally {
      server.kill();
    }
  } finally {
    await nats.kill();
  }
}
