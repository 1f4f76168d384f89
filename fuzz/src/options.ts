// Reads the command line.

import { parseArgs } from 'node:util';
import { TARGET_NAMES, type TargetName } from './targets.ts';

export interface Options {
  readonly targets: readonly TargetName[];
  readonly runs: number;
  readonly seed: number;
  /** Renews the corpus files. */
  readonly keep: boolean;
  /** Ignores time and memory in the verdict. */
  readonly untimed: boolean;
  /** Writes the figures into docs/reliability.md, every two seconds and at the end. */
  readonly report: boolean;
  /** Runs this one input instead of fuzzing. */
  readonly input: Uint8Array | undefined;
  readonly help: boolean;
}

export const USAGE = `usage: npx pnpm@12 fuzz [target…] [options]

  target            ${TARGET_NAMES.join(', ')}; default: all
  --runs <n>        number of inputs for each target (default: 1000000)
  --seed <n>        seed of the inputs (default: 1)
  --keep            replaces fuzz/corpus with the fewest inputs that reach all code found so far
  --untimed         ignores limits of time and memory, and uses all cores
  --report          updates the figures in docs/reliability.md while it runs
  --input <base64>  runs one target with this single input, and shows what it throws
  --help            prints this text`;

/** @throws TypeError naming what is wrong. */
export function readOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      untimed: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      input: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const strange = positionals.filter((name) => !(TARGET_NAMES as string[]).includes(name));
  if (strange.length > 0)
    throw new TypeError(
      `there is no target ${strange.join(', ')}; choose from ${TARGET_NAMES.join(', ')}`,
    );
  if (values.input !== undefined && positionals.length !== 1)
    throw new TypeError('--input: name exactly one target');
  return {
    targets: positionals.length === 0 ? TARGET_NAMES : (positionals as TargetName[]),
    runs: count('--runs', values.runs),
    seed: count('--seed', values.seed),
    keep: values.keep,
    untimed: values.untimed,
    report: values.report,
    input:
      values.input === undefined ? undefined : new Uint8Array(Buffer.from(values.input, 'base64')),
    help: values.help,
  };
}

function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new TypeError(`${name}: expected a number from 1, got '${text}'`);
  return Number(text);
}
