// The options of a command line: how each is read, and the usage that explains them.

import { parseArgs } from 'node:util';
import { listed, positive } from './arguments.ts';
import { named } from './named.ts';

/** An option with its value. */
export interface Flag<T> {
  /** How the usage names the value; undefined if the option takes none. */
  readonly takes: string | undefined;
  readonly help: string;
  /**
   * Reads the value; `text` is undefined if the option was not given.
   * @throws TypeError naming the option.
   */
  read(name: string, text: string | undefined, smoke: boolean): T;
}

export type Flags = Readonly<Record<string, Flag<any>>>;
export type Values<F extends Flags> = { readonly [K in keyof F]: ReturnType<F[K]['read']> };

/** An option that is set or not. */
export function flag(help: string): Flag<boolean> {
  return { takes: undefined, help, read: (_name, text) => text !== undefined };
}

export function text(takes: string, help: string): Flag<string | undefined> {
  return { takes, help, read: (_name, value) => value };
}

/** A whole number above 0. @param smoke the default of a smoke run. */
export function number(help: string, usual: number, smoke = usual): Flag<number> {
  return {
    takes: '<n>',
    help: `${help} (default: ${usual})`,
    read: (name, value, isSmoke) => positive(name, value, isSmoke ? smoke : usual),
  };
}

/** Whole numbers above 0, comma-separated. */
export function numbers(
  help: string,
  usual: readonly number[],
  smoke = usual,
): Flag<readonly number[]> {
  return {
    takes: '<n>',
    help: `${help}; comma-separated (default: ${usual.join(',')})`,
    read(name, value, isSmoke) {
      if (value !== undefined) return listed(value).map((each) => positive(name, each, 1));
      return isSmoke ? smoke : usual;
    },
  };
}

/** Names, or prefixes of them, comma-separated. Default: all. */
export function names<T extends string>(help: string, all: readonly T[]): Flag<readonly T[]> {
  return {
    takes: '<names>',
    help: `${help}, comma-separated, or a prefix of their names: ${all.join(', ')}`,
    read: (name, value) => named(name, name, all, (each) => each, listed(value)),
  };
}

/** Reads the options. @throws TypeError naming the option that is wrong. */
export function readFlags<F extends Flags>(flags: F, args: string[]): Values<F> {
  const { values } = parseArgs({
    args,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { takes }]) => [
        name,
        { type: takes === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  return Object.fromEntries(
    Object.entries(flags).map(([name, each]) => [
      name,
      each.read(name, values[name]?.toString(), values['smoke'] === true),
    ]),
  ) as Values<F>;
}

/** Returns the usage: each option, and its help below. */
export function usageOf(command: string, flags: Flags): string {
  const options = Object.entries(flags).map(
    ([name, { takes, help }]) =>
      `  --${name}${takes === undefined ? '' : ` ${takes}`}\n    ${help}`,
  );
  return `usage: npx pnpm@12 bench ${command} [options]\n\n${options.join('\n')}`;
}
