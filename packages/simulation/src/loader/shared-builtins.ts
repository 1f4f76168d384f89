// The built-in objects that all nodes and runs of a process share: constructors, prototypes and the
// real modules of Node. Finds the properties that code changes, and puts them back.

import process from 'node:process';
import { runInNewContext } from 'node:vm';
import { unguarded } from '../kernel/nondeterminism-guard.ts';

/** A property of a built-in object that differs from what it was. */
export interface BuiltinChange {
  /** Names the property, for example `Array.prototype.last`. */
  readonly name: string;
  readonly object: object;
  readonly key: PropertyKey;
  /** The property before the change; undefined if it was added. */
  readonly before: PropertyDescriptor | undefined;
}

interface Watched {
  readonly name: string;
  /** True for a module, whose getters may replace themselves when they are first used. */
  readonly isModule: boolean;
  before: ReadonlyMap<PropertyKey, PropertyDescriptor>;
  /** The size of `before`: code may replace `Map.prototype.size`. */
  count: number;
}

const watched = new Map<object, Watched>();

/** Watches the built-in objects that code reaches without a module. */
export function watchGlobals(): void {
  if (watched.size > 0) return;
  unguarded(() => {
    const names: string[] = runInNewContext('Object.getOwnPropertyNames(globalThis)');
    for (const name of [...names, ...OF_NODE])
      if (/^[A-Z]/.test(name)) watch((globalThis as Record<string, any>)[name], name);
    for (const [name, object] of Object.entries(HIDDEN)) watch(object, name);
    const { inspect } = process.getBuiltinModule('node:util');
    watch(inspect.defaultOptions, 'util.inspect.defaultOptions');
  });
}

/** Watches a module that loaded code shares as it is, and its classes. */
export function watchModule(module: object, name: string): void {
  if (watched.has(module)) return;
  unguarded(() => {
    const label = typeof module === 'function' ? module.name : name;
    watch(module, label, true);
    for (const [key, { value }] of watched.get(module)!.before)
      if (typeof value === 'function' && /^[A-Z]/.test(String(key)))
        watch(value, `${label}.${String(key)}`);
  });
}

/** Takes all watched objects as they are now for unchanged. */
export function acceptChanges(): void {
  unguarded(() => {
    for (const [object, each] of watched) Object.assign(each, propertiesOf(object));
  });
}

/** Returns all properties of watched objects that have changed. */
export function changes(): readonly BuiltinChange[] {
  return unguarded(() => {
    const found: BuiltinChange[] = [];
    for (const [object, { name, isModule, before, count }] of watched) {
      const add = (key: PropertyKey) =>
        found.push({
          name: typeof key === 'symbol' ? `${name}[${String(key)}]` : `${name}.${String(key)}`,
          ...{ object, key, before: before.get(key) },
        });
      const keys = Reflect.ownKeys(object);
      let kept = 0;
      for (const key of keys) {
        const was = before.get(key);
        if (was !== undefined) kept++;
        if (differs(was, propertyOf(object, key), isModule)) add(key);
      }
      if (kept < count) for (const key of before.keys()) if (!Object.hasOwn(object, key)) add(key);
    }
    return found;
  });
}

/** Puts a property back. Returns false if it has been made read-only. */
export function putBack({ object, key, before }: BuiltinChange): boolean {
  if (before === undefined) return Reflect.deleteProperty(object, key);
  return VALUES.has(key)
    ? Reflect.set(object, key, before.value)
    : Reflect.defineProperty(object, key, before);
}

function watch(object: unknown, name: string, isModule = false): void {
  if (Object(object) !== object || watched.has(object as object)) return;
  watched.set(object as object, { name, isModule, ...propertiesOf(object as object) });
  const { prototype } = object as { readonly prototype?: unknown };
  if (typeof object === 'function') watch(prototype, `${name}.prototype`);
}

function propertiesOf(object: object): Pick<Watched, 'before' | 'count'> {
  const keys = Reflect.ownKeys(object);
  return { before: new Map(keys.map((key) => [key, propertyOf(object, key)])), count: keys.length };
}

function propertyOf(object: object, key: PropertyKey): PropertyDescriptor {
  return VALUES.has(key)
    ? { value: Reflect.get(object, key) }
    : Reflect.getOwnPropertyDescriptor(object, key)!;
}

function differs(
  before: PropertyDescriptor | undefined,
  { value, get, set, writable }: PropertyDescriptor,
  isModule: boolean,
): boolean {
  // The loader itself may leave `Error.prepareStackTrace` undefined instead of absent.
  if (before === undefined) return value !== undefined || get !== undefined;
  if (isModule && before.get !== undefined) return false;
  return (
    !Object.is(before.value, value) ||
    before.get !== get ||
    before.set !== set ||
    before.writable !== writable
  );
}

/** Getters of modules whose values code may set. */
const VALUES = new Set<PropertyKey>(['defaultMaxListeners', 'captureRejections']);
/** Classes of Node that are globals, besides those of the language. */
const OF_NODE =
  'AbortController AbortSignal Buffer Event EventTarget TextDecoder TextEncoder URL URLSearchParams'.split(
    ' ',
  );
const of = Object.getPrototypeOf;
/** Built-in objects that have no global name. */
const HIDDEN: Readonly<Record<string, object>> = {
  TypedArray: of(Int8Array),
  'Iterator.prototype': of(of([].values())),
  'ArrayIterator.prototype': of([].values()),
  'MapIterator.prototype': of(new Map().values()),
  'SetIterator.prototype': of(new Set().values()),
  'StringIterator.prototype': of(''[Symbol.iterator]()),
  'RegExpStringIterator.prototype': of(''.matchAll(/x/g)),
  'AsyncFunction.prototype': of(async () => {}),
  'GeneratorFunction.prototype': of(function* () {}),
  'Generator.prototype': of(of((function* () {})())),
  'AsyncGeneratorFunction.prototype': of(async function* () {}),
  'AsyncGenerator.prototype': of(of((async function* () {})())),
};
