// The program of a page: measures one column when Node asks for it.

import type { Command } from './client.ts';
import { connect, type Libraries } from './columns.ts';
import { type LinkFigures, measure } from './tasks.ts';

/** The function that the page offers as a global. */
export type MeasureInPage = (command: Command) => Promise<LinkFigures>;

const page = globalThis as unknown as Libraries & Libraries['rtc'] & { measure: MeasureInPage };
page.measure = async ({ column, at, ...times }) =>
  measure(() => connect(column, at, { WebSocket: page.WebSocket, rtc: page }), times);
