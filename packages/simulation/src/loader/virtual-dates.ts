// The classes that read the wall clock if they get no time: Date, Intl.DateTimeFormat and File.

import { overlay } from './overlay.ts';

/** Creates the global `Date` of a node. */
export function virtualDate(wall: () => number): unknown {
  return constructing(RealDate, (args) => (args.length === 0 ? [wall()] : args), {
    apply: () => new RealDate(wall()).toString(),
    get: (target, key) => (key === 'now' ? wall : Reflect.get(target, key)),
  });
}

/**
 * Creates the global `Intl` of a node: the current time is its own, and the default locale en-US.
 */
export function virtualIntl(wall: () => number): object {
  const create = (real: any, args: readonly unknown[], target: unknown): any => {
    const [locales = 'en-US', ...rest] = args;
    const object: any = Reflect.construct(real, [locales, ...rest], target as never);
    if (real !== Intl.DateTimeFormat) return object;
    const { format, formatToParts } = object as Intl.DateTimeFormat;
    return Object.assign(Object.defineProperty(object, 'format', { writable: true }), {
      format: (date: Date | number = wall()) => format(date),
      formatToParts: (date: Date | number = wall()) => formatToParts.call(object, date),
    });
  };
  const made = new Map<PropertyKey, unknown>();
  return overlay(Intl, {}, (key, value) => {
    if (typeof value !== 'function' || value.prototype === undefined) return value;
    if (!made.has(key))
      made.set(
        key,
        new Proxy(value, {
          apply: (real, _, args) => create(real, args, real),
          construct: (real, args, target) =>
            create(real, args, target === made.get(key) ? real : target),
        }),
      );
    return made.get(key);
  });
}

/** Creates the class `File` of a node. */
export function virtualFile(wall: () => number): unknown {
  return constructing(File, ([bits, name, options]) => [
    bits,
    name,
    { lastModified: wall(), ...(options as object) },
  ]);
}

/** Returns a class that looks like `real` and replaces the arguments of its constructor. */
function constructing(
  real: any,
  args: (given: readonly unknown[]) => readonly unknown[],
  traps: ProxyHandler<any> = {},
): unknown {
  const made: unknown = new Proxy(real, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, args(given), newTarget === made ? target : newTarget),
    ...traps,
  });
  return made;
}

/** The real Date, captured before a simulation replaces it. */
const RealDate = Date;
