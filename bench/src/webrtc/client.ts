// The process of a client in Node: measures one column.

import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { WebSocket } from 'ws';
import { runCommands } from '../commands.ts';
import { type Address, type Column, connect, type Libraries } from './columns.ts';
import { type LinkFigures, measure, type Times } from './tasks.ts';

export interface Command extends Times {
  readonly column: Column;
  readonly at: Address;
}

const libraries = { WebSocket, rtc: { RTCPeerConnection } } as unknown as Libraries;
const commands = {
  measure: ({ column, at, ...times }: Command): Promise<LinkFigures> =>
    measure(() => connect(column, at, libraries), times),
};
export type ClientCommands = typeof commands;

runCommands(commands, () => process.kill(process.pid, 'SIGKILL'));
