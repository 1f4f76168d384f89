// Objects that look like another object, except for some of its properties.

/**
 * Returns an object with the properties of `base`, some of which `own` replaces. `see` may replace
 * the values of the others. Properties that are set on it stay on it: `base` never changes.
 */
export function overlay<T extends object>(
  base: object,
  own: Record<PropertyKey, unknown>,
  see: (key: PropertyKey, value: unknown) => unknown = (_, value) => value,
): T {
  const get = (key: PropertyKey) =>
    Object.hasOwn(own, key) ? own[key] : see(key, Reflect.get(base, key, base));
  return new Proxy(own, {
    get: (_, key) => get(key),
    set(_, key, value) {
      own[key] = value;
      return true;
    },
    has: (_, key) => Object.hasOwn(own, key) || Reflect.has(base, key),
    getOwnPropertyDescriptor(_, key) {
      const mine = Reflect.getOwnPropertyDescriptor(own, key);
      const descriptor = mine ?? Reflect.getOwnPropertyDescriptor(base, key);
      // A proxy must report exactly those properties as fixed that are so in its target.
      if (descriptor === undefined || mine?.configurable === false) return mine;
      const { enumerable, get: getter } = descriptor;
      return getter === undefined
        ? { value: get(key), writable: true, enumerable, configurable: true }
        : { get: () => get(key), enumerable, configurable: true };
    },
    ownKeys: () => [...new Set([...Reflect.ownKeys(base), ...Reflect.ownKeys(own)])],
    getPrototypeOf: () => Reflect.getPrototypeOf(base),
  }) as T;
}
