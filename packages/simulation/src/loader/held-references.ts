// `WeakRef` and `FinalizationRegistry` of a node. Nothing is collected while it lives, because the
// garbage collector of the machine would make runs of one seed differ.

/** A `WeakRef` whose target stays. */
class HeldRef<T extends WeakKey> implements WeakRef<T> {
  readonly #target: T;

  constructor(target: T) {
    new WeakRef(target); // Throws Node's error for a primitive.
    this.#target = target;
  }

  get [Symbol.toStringTag](): 'WeakRef' {
    return 'WeakRef';
  }

  deref(): T {
    return this.#target;
  }
}

/** A `FinalizationRegistry` that never calls back, and keeps nothing alive. */
class HeldRegistry<T> implements FinalizationRegistry<T> {
  readonly #tokens = new WeakSet<WeakKey>();

  get [Symbol.toStringTag](): 'FinalizationRegistry' {
    return 'FinalizationRegistry';
  }

  register(_target: WeakKey, _held: T, token?: WeakKey): void {
    if (token !== undefined) this.#tokens.add(token);
  }

  unregister(token: WeakKey): boolean {
    return this.#tokens.delete(token);
  }
}

/** The globals of a node that would show when the garbage collector runs. */
export const heldReferences: Readonly<Record<string, unknown>> = {
  WeakRef: named(HeldRef, 'WeakRef'),
  FinalizationRegistry: named(HeldRegistry, 'FinalizationRegistry'),
};

function named(type: object, value: string): object {
  return Object.defineProperty(type, 'name', { value });
}
