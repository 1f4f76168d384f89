// What the programs of this example have in common: options, exit codes and Ctrl+C.

import process from 'node:process';

/**
 * Runs a program and sets the exit code: that of `run`, or 2 if `parse` refuses the options, or 130
 * after Ctrl+C, which aborts the signal.
 */
export async function runProgram<Options>(
  name: string,
  help: string,
  parse: (args: string[]) => Options,
  run: (options: Options, signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const args = process.argv.slice(2).filter((arg) => arg !== '--'); // From `pnpm demo -- --peers`.
  if (args.includes('--help') || args.includes('-h')) return print(help);
  let options: Options;
  try {
    options = parse(args);
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    process.stderr.write(`${name}: ${reason} (--help shows the options)\n`);
    process.exitCode = 2;
    return;
  }
  const interrupt = new AbortController();
  // A second SIGINT ends the process as usual.
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  try {
    process.exitCode = await run(options, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stderr.write('interrupted\n');
    process.exitCode = 130;
  }
}

/** Returns the number that an option has. Throws an Error if it is not a whole one in the range. */
export function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`--${option}: expected a whole number from ${least} to ${most}, got '${text}'`);
}

/** Returns the name that an option has. Throws an Error if it is not one of `names`. */
export function oneOf<Name extends string>(
  option: string,
  text: string,
  names: readonly Name[],
): Name {
  const name = names.find((each) => each === text);
  if (name !== undefined) return name;
  throw new Error(`--${option}: expected one of ${names.join(', ')}, got '${text}'`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Formats rows in columns as wide as their widest cell; only the first one is left-aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, i: number) =>
    i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(pad).join('  ')).join('\n');
}
