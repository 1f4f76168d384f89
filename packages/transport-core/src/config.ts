// Options: partial in, checked once, complete and frozen out. What is wrong is a TypeError that names its path.

import * as z from 'zod/mini';

/** The options of one component: a member for each, made by the field functions below. */
export type OptionsSchema<S extends z.core.$ZodShape = z.core.$ZodShape> = z.ZodMiniObject<S, z.core.$strict>;

/** What a user may give under a schema. */
export type OptionsInput<S extends OptionsSchema> = z.input<S>;
/** What `parseOptions` makes of it. */
export type Options<S extends OptionsSchema> = Readonly<z.output<S>>;

/** A schema of options that refuses any other. */
export function optionsSchema<S extends z.core.$ZodShape>(shape: S): OptionsSchema<S> {
  return z.strictObject(shape);
}

/** A backend's schema: the options that it shares with others, and its own (which win). */
export function extendOptions<S extends z.core.$ZodShape, T extends z.core.$ZodShape>(base: OptionsSchema<S>, shape: T): OptionsSchema<Omit<S, keyof T> & T> {
  return z.strictObject({ ...base.shape, ...shape }) as unknown as OptionsSchema<Omit<S, keyof T> & T>;
}

/**
 * The options, complete and deep-frozen; objects that are passed through by reference (a clock, an observer, a server) are not
 * frozen. A TypeError names the component and each wrong option by its path:
 * 'createTcpTransport: limits.packet: must be an integer from 4096 to 1048576, got 12'.
 */
export function parseOptions<S extends OptionsSchema>(schema: S, input: unknown, name: string): Options<S> {
  if (typeof input !== 'object' || input === null) throw new TypeError(`${name}: takes an object of options, got ${show(input)}`);
  const result = z.safeParse(schema, input);
  if (!result.success) throw new TypeError(`${name}: ${result.error.issues.flatMap((issue) => describe(schema, issue, input)).join('; ')}`);
  return freezeOwn(result.data, input) as Options<S>;
}

/** An integer from `least` to `most`, both included. */
export function integer(least: number, most: number): z.ZodMiniCustom<number, number> {
  const isFit = (value: unknown) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return z.custom<number>(isFit, { error: `must be an integer from ${least} to ${most}` });
}

/** Milliseconds above 0, up to the longest delay of a timer (24.8 days). */
export function milliseconds(): z.ZodMiniCustom<number, number> {
  return z.custom<number>((value) => typeof value === 'number' && value > 0 && value <= LONGEST_DELAY, {
    error: `must be milliseconds above 0, at most ${LONGEST_DELAY}`,
  });
}

/** Milliseconds above 0, or `Infinity` for never. */
export function millisecondsOrNever(): z.ZodMiniCustom<number, number> {
  return z.custom<number>((value) => typeof value === 'number' && value > 0, { error: 'must be milliseconds above 0, or Infinity' });
}

/** A string of 1 to `most` characters, without control characters. */
export function text(most = 255): z.ZodMiniCustom<string, string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  const isFit = (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= most && !/[\u0000-\u001f\u007f]/.test(value);
  return z.custom<string>(isFit, { error: `must be a string of 1 to ${most} characters, none of them a control character` });
}

/** A function. */
export function callback<F extends (...args: never[]) => unknown>(): z.ZodMiniCustom<F, F> {
  return z.custom<F>((value) => typeof value === 'function', { error: 'must be a function' });
}

/** Anything that `isFit` accepts, passed through by reference and left unfrozen; `rule` ends 'must be …'. */
export function reference<T>(isFit: (value: unknown) => boolean, rule: string): z.ZodMiniCustom<T, T> {
  return z.custom<T>(isFit, { error: `must be ${rule}` });
}

/** May be left out, or `undefined`. */
export function optional<T extends z.core.SomeType>(field: T): z.ZodMiniOptional<T> {
  return z.optional(field);
}

/** `value` where it is left out or `undefined`. */
export function withDefault<T extends z.core.SomeType>(field: T, value: z.core.util.NoUndefined<z.output<T>>): z.ZodMiniDefault<T> {
  return z._default(field, value);
}

/** A group of options that may be left out, in whole or in part. */
export function group<S extends z.core.$ZodShape>(shape: S): z.ZodMiniPrefault<OptionsSchema<S>> {
  return z.prefault(z.strictObject(shape), {} as never);
}

/**
 * A group whose options depend on each other: `complete` fills what was left out and reports what contradicts by the name of
 * the option and a rule ('must be at most …').
 */
export function dependentGroup<S extends z.core.$ZodShape, Out>(
  shape: S,
  complete: (given: z.output<OptionsSchema<S>>, report: (option: keyof S & string, rule: string) => void) => Out,
): z.ZodMiniPrefault<z.ZodMiniPipe<OptionsSchema<S>, z.ZodMiniTransform<Out, z.output<OptionsSchema<S>>>>> {
  const completion = z.transform((given: z.output<OptionsSchema<S>>, context) =>
    complete(given, (option, rule) => {
      context.issues.push({ code: 'custom', message: rule, path: [option], input: given });
    }),
  );
  return z.prefault(z.pipe(z.strictObject(shape), completion as never), {} as never) as never;
}

/** 2^31 − 1 ms: what a timer of any runtime takes. */
const LONGEST_DELAY = 0x7fff_ffff;

/** One line for each thing that is wrong. */
function describe(schema: OptionsSchema, issue: z.core.$ZodIssue, input: unknown): string[] {
  const at = (path: readonly PropertyKey[]) => path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(shapeAt(schema, issue.path));
    return issue.keys.map((key) => `${at([...issue.path, key])}: there is no such option; ${suggestion(key, known)}`);
  }
  let value: unknown = input;
  for (const step of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
  const rule = issue.code === 'custom' ? issue.message : 'must be an object of options';
  return [`${at(issue.path)}: ${value === undefined ? `is required: ${rule}` : `${rule}, got ${show(value)}`}`];
}

function suggestion(key: string, known: string[]): string {
  const distances = known.map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }));
  const nearest = distances.sort((a, b) => a.distance - b.distance)[0];
  return nearest !== undefined && nearest.distance <= Math.max(2, key.length / 3) ? `did you mean '${nearest.name}'?` : `there are ${known.join(', ')}`;
}

/** The names that a group of options has, through what wraps it: optional, default, completion. */
function shapeAt(schema: z.core.SomeType, path: readonly PropertyKey[]): Readonly<Record<string, z.core.SomeType>> {
  const definition = (schema as z.core.$ZodType)._zod.def as { innerType?: z.core.SomeType; in?: z.core.SomeType; shape?: Record<string, z.core.SomeType> };
  const inner = definition.innerType ?? definition.in;
  if (inner !== undefined) return shapeAt(inner, path);
  const [step, ...rest] = path;
  if (step === undefined) return definition.shape ?? {};
  const member = definition.shape?.[String(step)];
  return member === undefined ? {} : shapeAt(member, rest);
}

/** Freezes what the schema made; what stands in the input too was passed by reference. */
function freezeOwn(made: unknown, given: unknown): unknown {
  if (typeof made !== 'object' || made === null || made === given) return made;
  for (const [key, value] of Object.entries(made)) freezeOwn(value, (given as Record<string, unknown> | null | undefined)?.[key]);
  return Object.freeze(made);
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
