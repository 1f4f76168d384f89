// Numbers and names on the command lines of the benchmarks.

/** A whole number above 0. @throws TypeError naming the option. */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`--${name}: a whole number above 0 is wanted, not '${text}'`);
}

/** A number above 0. @throws TypeError naming the option. */
export function aboveZero(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`--${name}: a number above 0 is wanted, not '${text}'`);
}

/** The parts of a list, 'a, b'; none where it was not given. */
export function listed(text: string | undefined): string[] {
  return text?.split(',').map((name) => name.trim()) ?? [];
}

/** Words between spaces: flags for another process. */
export function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((word) => word !== '') ?? [];
}
