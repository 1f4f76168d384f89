// Parsing of options: a partial object is checked once and becomes complete and frozen. A TypeError
// names the path of each wrong option. The other packages parse their options with this file, too;
// zod/mini is for data from outside of the program, such as messages and files.
//
// Parsing options with zod/mini would add 5.7 kB (gzip) instead of 1.4 kB. Loading zod/mini alone
// takes twice as much CPU time as loading all of core, and 3.1 MB of heap instead of 0.2 MB.

import { LONGEST_DELAY } from './clock.ts';

/**
 * One option: `In` is the type that may be given, `Out` the type after parsing. The option may be
 * left out if `In` includes undefined.
 */
export interface OptionField<In = unknown, Out = In> {
  /**
   * Returns `Out` for the given value. If the value is invalid, it adds a line to `wrong`, and its
   * result must not be used.
   */
  read(given: unknown, path: string, wrong: string[]): Out;
  /** Exists for type inference only; never set at run time. */
  readonly takes?: readonly [In];
}

/** Options by their names. */
export type OptionsShape = Readonly<Record<string, OptionField>>;

/**
 * The options of one component, each made by one of the field functions below. A schema is itself a
 * field, so schemas can be nested.
 */
export interface OptionsSchema<S extends OptionsShape = OptionsShape>
  extends OptionField<Given<S>, Made<S>> {
  readonly shape: S;
}

type In<F> = F extends { readonly takes?: readonly [infer T] } ? T : never;
type Out<F> = F extends { read(given: unknown, path: string, wrong: string[]): infer T }
  ? T
  : never;
type Flat<T> = { [K in keyof T]: T[K] };
/** Makes those members optional that may be undefined. */
type Partly<T> = Flat<
  { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
  }
>;
type Given<S> = Partly<{ [K in keyof S]: In<S[K]> }>;
type Made<S> = Partly<{ [K in keyof S]: Out<S[K]> }>;

/** The options that a user may pass for a schema. */
export type OptionsInput<S extends OptionsSchema> = In<S>;
/** The result of `parseOptions` for a schema. */
export type Options<S extends OptionsSchema> = Readonly<Out<S>>;

/** Returns a schema of these options; unknown options are refused. */
export function optionsSchema<S extends OptionsShape>(shape: S): OptionsSchema<S> {
  return { shape, read: (given, path, wrong) => readShape(shape, given, path, wrong) };
}

/**
 * Returns a backend's schema: the options of `base` and the backend's own, which take precedence.
 */
export function extendOptions<S extends OptionsShape, T extends OptionsShape>(
  base: OptionsSchema<S>,
  shape: T,
): OptionsSchema<Flat<Omit<S, keyof T> & T>> {
  return optionsSchema({ ...base.shape, ...shape }) as never;
}

/**
 * Returns the options, complete and deep-frozen. Objects that are passed through by reference (a
 * clock, an observer, a server) are not frozen; `freezeOwn` says which these are. Throws a
 * TypeError that names the component and each invalid option by its path: 'createTransport:
 * limits.packet: must be an integer from 4096 to 1048576, got 12'.
 */
export function parseOptions<S extends OptionsSchema>(
  schema: S,
  input: unknown,
  name: string,
): Options<S> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new TypeError(`${name}: expected an object of options, got ${show(input)}`);
  const wrong: string[] = [];
  const made = schema.read(input, '', wrong);
  if (wrong.length > 0) throw new TypeError(`${name}: ${wrong.join('; ')}`);
  return freezeOwn(made, input) as Options<S>;
}

/**
 * Refuses options whose names are not in `known`, for functions that have nothing else to parse, or
 * that are called too often for it. Undefined values are ignored. Throws a TypeError that names the
 * nearest known option, or all of them if none is near.
 */
export function refuseUnknown<O extends object>(
  options: O,
  name: string,
  known: readonly (keyof O & string)[],
): void {
  if (typeof options !== 'object')
    throw new TypeError(`${name}: expected an object of options, got ${show(options)}`);
  for (const key in options)
    if (!known.includes(key) && options[key] !== undefined)
      throw new TypeError(`${name}: ${unknown(key, known)}`);
}

/** An integer from `least` to `most`, both included. */
export function integer(least: number, most: number): OptionField<number> {
  return number(
    (value) => Number.isInteger(value) && value >= least && value <= most,
    `an integer from ${least} to ${most}`,
  );
}

/** Milliseconds above 0, up to the longest delay of a timer (24.8 days). */
export function milliseconds(): OptionField<number> {
  return number(
    (value) => value > 0 && value <= LONGEST_DELAY,
    `milliseconds above 0, at most ${LONGEST_DELAY}`,
  );
}

/** Milliseconds above 0, or `Infinity` for never. */
export function millisecondsOrNever(): OptionField<number> {
  return number((value) => value > 0, 'milliseconds above 0, or Infinity');
}

/** Milliseconds, 0 or more; `Infinity` for no limit. */
export function grace(): OptionField<number> {
  return number((value) => value >= 0, 'milliseconds, 0 or more');
}

/** A number that `isFit` accepts. `rule` completes the sentence 'must be …'. */
export function number(isFit: (value: number) => boolean, rule: string): OptionField<number> {
  return reference((value) => typeof value === 'number' && isFit(value), rule);
}

/** A string of 1 to `most` UTF-16 code units, without the control characters of ASCII. */
export function text(most = 255): OptionField<string> {
  const isFit = (value: unknown) =>
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= most &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    !/[\u0000-\u001f\u007f]/.test(value);
  return reference(isFit, `a string of 1 to ${most} characters without control characters`);
}

/** A boolean. */
export function flag(): OptionField<boolean> {
  return reference((value) => typeof value === 'boolean', 'true or false');
}

/** An object with these methods. `what` completes the sentence 'must be …'. */
export function withMethods<T>(what: string, names: readonly (keyof T)[]): OptionField<T> {
  return reference(
    (value) => names.every((name) => typeof (value as T | null | undefined)?.[name] === 'function'),
    `${what} with the methods ${names.join(', ')}`,
  );
}

/** A function. */
export function callback<F extends (...args: never[]) => unknown>(): OptionField<F> {
  return reference((value) => typeof value === 'function', 'a function');
}

/** A list of functions. */
export function functions<F extends (...args: never[]) => unknown>(): OptionField<readonly F[]> {
  return reference(
    (value) => Array.isArray(value) && value.every((item) => typeof item === 'function'),
    'a list of functions',
  );
}

/**
 * Any value that `isFit` accepts, passed through by reference and not frozen. `rule` completes the
 * sentence 'must be …'.
 */
export function reference<T>(isFit: (value: unknown) => boolean, rule: string): OptionField<T> {
  return {
    read(given, path, wrong) {
      if (!isFit(given)) wrong.push(broken(path, `must be ${rule}`, given));
      return given as T;
    },
  };
}

/** Makes a field optional: it may be left out or `undefined`. */
export function optional<I, O>(
  field: OptionField<I, O>,
): OptionField<I | undefined, O | undefined> {
  return withDefault<I, O | undefined>(field, undefined);
}

/**
 * Makes a field optional with a default `value`. `parseOptions` freezes the value itself if it is a
 * list or an object.
 */
export function withDefault<I, O>(
  field: OptionField<I, O>,
  value: NoInfer<O>,
): OptionField<I | undefined, O> {
  return {
    read: (given, path, wrong) => (given === undefined ? value : field.read(given, path, wrong)),
  };
}

/** A group of options that may be left out, entirely or in part. */
export function group<S extends OptionsShape>(
  shape: S,
): OptionField<Given<S> | undefined, Made<S>> {
  return { read: (given = {}, path, wrong) => readShape(shape, given, path, wrong) };
}

/**
 * A group whose options depend on each other. `complete` is called only if each option is valid by
 * itself, and fills in those that were left out. It reports a contradiction with the name of an
 * option that was given, and a rule ('must be at most …').
 */
export function dependentGroup<S extends OptionsShape, T>(
  shape: S,
  complete: (given: Made<S>, report: (option: keyof S & string, rule: string) => void) => T,
): OptionField<Given<S> | undefined, T> {
  return {
    read(given = {}, path, wrong) {
      const before = wrong.length;
      const made = readShape(shape, given, path, wrong);
      if (wrong.length > before) return made as unknown as T;
      return complete(made, (option, rule) => {
        const value = (given as Record<string, unknown>)[option];
        wrong.push(broken(join(path, option), rule, value));
      });
    },
  };
}

/** A list of at most `most` values. */
export function list<I, O>(
  item: OptionField<I, O>,
  most: number,
): OptionField<readonly I[], readonly O[]> {
  return {
    read(given, path, wrong) {
      if (Array.isArray(given) && given.length <= most)
        return given.map((value, at) => item.read(value, `${path}[${at}]`, wrong));
      const value = Array.isArray(given) ? given.length : given;
      wrong.push(broken(path, `must be a list of at most ${most} values`, value));
      return [];
    },
  };
}

/** Reads each option of a shape with its field, then reports unknown options. */
function readShape<S extends OptionsShape>(
  shape: S,
  given: unknown,
  path: string,
  wrong: string[],
): Made<S> {
  const made: Record<string, unknown> = {};
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    wrong.push(broken(path, 'must be an object of options', given));
  else {
    for (const [key, field] of Object.entries(shape)) {
      const value = field.read((given as Record<string, unknown>)[key], join(path, key), wrong);
      if (value !== undefined) made[key] = value;
    }
    const known = Object.keys(shape);
    for (const key of Object.keys(given))
      if (!Object.hasOwn(shape, key) && (given as Record<string, unknown>)[key] !== undefined)
        wrong.push(unknown(join(path, key), known, key));
  }
  return made as Made<S>;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Returns one line that describes an invalid value. */
export function broken(path: string, rule: string, value: unknown): string {
  return `${path}: ${value === undefined ? `is required: ${rule}` : `${rule}, got ${show(value)}`}`;
}

/** Returns one line that describes an unknown option, with the nearest name. */
function unknown(path: string, known: readonly string[], key = path): string {
  return `${path}: unknown option; ${suggestion(key, known)}`;
}

function suggestion(key: string, known: readonly string[]): string {
  const distanceTo = (name: string) => editDistance(key.toLowerCase(), name.toLowerCase());
  const [nearest] = [...known].sort((a, b) => distanceTo(a) - distanceTo(b));
  return nearest !== undefined && distanceTo(nearest) <= Math.max(2, key.length / 3)
    ? `did you mean '${nearest}'?`
    : `the options are ${known.join(', ')}`;
}

/**
 * Freezes the objects that the schema made. An object that the input has at the same path was
 * passed by reference and stays unfrozen. So no field may move a given object to another path. An
 * instance that a field creates is frozen: its state must be in private fields, which freezing does
 * not reach.
 */
function freezeOwn(made: unknown, given: unknown): unknown {
  if (typeof made !== 'object' || made === null || made === given) return made;
  for (const [key, value] of Object.entries(made))
    freezeOwn(value, (given as Record<string, unknown> | null | undefined)?.[key]);
  return Object.freeze(made);
}

/** Returns the Levenshtein distance of two strings. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length]!;
}

function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
