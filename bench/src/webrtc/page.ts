// The program of a page: measures one column when Node calls its global `measure`.

import { connect, type Libraries } from './columns.ts';
import type { Command } from './end.ts';
import { measure } from './tasks.ts';

const page = globalThis as unknown as Libraries & Libraries['rtc'] & Record<string, unknown>;
page['measure'] = ({ column, at, ...times }: Command) =>
  measure(() => connect(column, at, { WebSocket: page.WebSocket, rtc: page }), times);
