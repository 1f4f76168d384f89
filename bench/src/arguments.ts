// Readers for the numbers and names on the command lines of the benchmarks.

/** Reads a whole number above 0. @throws TypeError naming the option. */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`--${name}: must be a whole number above 0, got '${text}'`);
}

/** Reads a number above 0. @throws TypeError naming the option. */
export function aboveZero(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`--${name}: must be a number above 0, got '${text}'`);
}

/** Splits a list such as 'a, b'; returns an empty array if the option was not given. */
export function listed(text: string | undefined): string[] {
  return text?.split(',').map((name) => name.trim()) ?? [];
}

/** Splits words at spaces: flags for another process. */
export function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((word) => word !== '') ?? [];
}

/**
 * Runs a benchmark with the options of its command line. Prints `usage` for --help; if an option is
 * wrong, prints the error and `usage`, and sets the exit code to 2.
 */
export async function runCommand<O extends { readonly help: boolean }>(
  read: (args: string[]) => O,
  usage: string,
  bench: (options: O) => Promise<void>,
): Promise<void> {
  let options: O;
  try {
    options = read(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (options.help) console.log(usage);
  else await bench(options);
}
