// The process of a client: measures one column.

import { report, runCommands } from '../commands.ts';
import type { Figures, Times } from '../echo-task.ts';
import { dialBare } from './bare.ts';

import { measure } from './tasks.ts';
import { dialTrunkline } from './trunkline.ts';

export interface Command extends Times {
  readonly column: string;
  /** The address of the NATS server. */
  readonly server: string;
}

export interface Report {
  readonly figures?: Figures;
}

runCommands<Command, Report>(
  async ({ column, server, ...times }) => {
    const link = await (column === 'bare-nats' ? dialBare(server) : dialTrunkline(server));
    return { figures: await measure(link, times) };
  },
  () => process.kill(process.pid, 'SIGKILL'),
);
report<Report>({});
