// Stand-ins for what loaded code may not use. They can be imported, destructured and extended, and
// throw when they are called or constructed.

import { EventEmitter } from 'node:events';
import stream from 'node:stream';
import { overlay } from './overlay.ts';

/** Makes stand-ins. */
export class Refusals {
  /** Creates the error for a call. */
  readonly error: (call: string) => Error;
  readonly #made = new WeakMap<object, object>();

  constructor(error: (call: string) => Error) {
    this.error = error;
  }

  /** Returns the stand-in for a value that is reached by `path`. Plain data stays as it is. */
  of(value: unknown, path: string): unknown {
    if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return value;
    if (Array.isArray(value)) return value;
    let made = this.#made.get(value);
    if (made === undefined) this.#made.set(value, (made = this.#make(value, path)));
    return made;
  }

  /**
   * Returns an object like `base`, of which only the members that `own` has or whose names `pure`
   * matches can be used.
   */
  sealed(base: object, own: Record<string, unknown>, path: string, pure = NOTHING): object {
    return overlay(base, own, (key, value) =>
      pure.test(String(key)) || key in Object.prototype
        ? value
        : this.of(value, `${path}.${String(key)}`),
    );
  }

  #make(value: object, path: string): object {
    const made = typeof value === 'function' ? this.#call(path) : {};
    const fill = () => {
      this.#mirror(made, value, path);
      const { prototype } = value as { readonly prototype?: object };
      if (typeof value === 'object') this.#mirrorBases(made, Object.getPrototypeOf(value), path);
      else if (prototype)
        this.#mirrorBases((made as Class).prototype, prototype, `${path}.prototype`);
    };
    let isFilled = false;
    // Most stand-ins are never used, so the first use of one, which looks up a trap, fills it.
    const traps = new Proxy<object>(made, {
      get() {
        if (!isFilled) {
          isFilled = true;
          fill();
        }
        return undefined;
      },
    });
    return new Proxy(made, traps);
  }

  /** Returns a function that throws. It is no arrow function, because classes may extend it. */
  #call(path: string): () => never {
    const { error } = this;
    return function refused(): never {
      throw error(`${path}()`);
    };
  }

  #mirror(made: object, value: object, path: string): void {
    for (const key of Reflect.ownKeys(value)) {
      if (typeof value === 'function' && OF_FUNCTIONS.has(key)) continue;
      const { enumerable = false } = Reflect.getOwnPropertyDescriptor(value, key)!;
      Object.defineProperty(made, key, {
        get: () => this.of(Reflect.get(value, key), `${path}.${String(key)}`),
        set: (next) =>
          Object.defineProperty(made, key, { value: next, writable: true, enumerable }),
        enumerable,
        configurable: true,
      });
    }
  }

  /** Mirrors the members of a prototype and of its bases, up to one that is harmless. */
  #mirrorBases(made: object, prototype: object | null, path: string): void {
    let base: object | null = prototype;
    for (; base !== null && !HARMLESS.has(base); base = Object.getPrototypeOf(base)) {
      for (const key of Reflect.ownKeys(base)) {
        if (Object.hasOwn(made, key)) continue;
        const { value, get } = Reflect.getOwnPropertyDescriptor(base, key)!;
        const name = `${path}.${String(key)}`;
        if (get === undefined)
          Object.defineProperty(made, key, {
            value: this.of(value, name),
            writable: true,
            configurable: true,
          });
        else Object.defineProperty(made, key, { get: this.#call(name), configurable: true });
      }
    }
    Object.setPrototypeOf(made, base);
  }
}

interface Class {
  readonly prototype: object;
}

const NOTHING = /^$/;
const OF_FUNCTIONS = new Set<PropertyKey>(['length', 'name', 'prototype', 'arguments', 'caller']);
const HARMLESS = new Set<object>([
  Object.prototype,
  Error.prototype,
  EventTarget.prototype,
  EventEmitter.prototype,
  stream.prototype,
  stream.Readable.prototype,
  stream.Writable.prototype,
  stream.Duplex.prototype,
  stream.Transform.prototype,
]);
