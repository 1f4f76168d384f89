// The demo's command line.

import { parseArgs } from 'node:util';
import { BACKENDS } from './backends.ts';

export interface DemoOptions {
  readonly transports: readonly string[];
  readonly nodes: number;
  readonly writes: number;
}

export const HELP = `Usage: pnpm demo [options]

Five nodes elect a leader and commit 1,000 writes; the leader is lost, another is elected and commits
1,000 more; the lost one returns and catches up by snapshot. The same code, on each backend.

  --transport <name>   ${Object.keys(BACKENDS).join(', ')} or all (default: all)
  --nodes <n>          3 to 9 (default: 5)
  --writes <n>         writes before and after the leader is lost, 1 to 100000 (default: 1000)
  --help               this text`;

/** 'help', or the options; throws an Error of one line that says what is wrong. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'), // as `pnpm demo -- --nodes 3` hands it on
    options: { transport: { type: 'string' }, nodes: { type: 'string' }, writes: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return 'help';
  const { transport = 'all' } = values;
  const names = Object.keys(BACKENDS);
  if (transport !== 'all' && !names.includes(transport)) throw new Error(`--transport: expected ${names.join(', ')} or all, got '${transport}'`);
  return {
    transports: transport === 'all' ? names : [transport],
    nodes: integer('--nodes', values.nodes ?? '5', 3, 9),
    writes: integer('--writes', values.writes ?? '1000', 1, 100_000),
  };
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}
