// Objects that look like another object, except for some of its properties.

/**
 * Returns an object with the properties of `base`, some of which `own` replaces. Properties that
 * are set on it stay on it: `base` never changes.
 */
export function overlay<T extends object>(base: object, own: Record<PropertyKey, unknown>): T {
  return new Proxy(own, {
    get: (_, key) => (Object.hasOwn(own, key) ? own[key] : Reflect.get(base, key, base)),
    set(_, key, value) {
      own[key] = value;
      return true;
    },
    has: (_, key) => Object.hasOwn(own, key) || Reflect.has(base, key),
    getOwnPropertyDescriptor(_, key) {
      const descriptor =
        Reflect.getOwnPropertyDescriptor(own, key) ?? Reflect.getOwnPropertyDescriptor(base, key);
      // A proxy may not report properties that its target lacks as fixed.
      return descriptor && { ...descriptor, configurable: true };
    },
    ownKeys: () => [...new Set([...Reflect.ownKeys(base), ...Reflect.ownKeys(own)])],
    getPrototypeOf: () => Reflect.getPrototypeOf(base),
  }) as T;
}
