// The process of a client in Node: measures one column.

import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { WebSocket } from 'ws';
import { report, runCommands } from '../commands.ts';
import { type Addresses, type Column, connect, type Libraries } from './columns.ts';
import { type LinkFigures, measure, type Times } from './tasks.ts';

export interface Command extends Times {
  readonly column: Column;
  readonly addresses: Addresses;
}

export interface Report {
  readonly figures?: LinkFigures;
}

const libraries = { WebSocket, rtc: { RTCPeerConnection } } as unknown as Libraries;

runCommands<Command, Report>(
  async ({ column, addresses, ...times }) => ({
    figures: await measure(() => connect(column, addresses, libraries), times),
  }),
  () => process.kill(process.pid, 'SIGKILL'),
);
report<Report>({});
