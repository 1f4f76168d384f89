// Handlers that start in no context of their own, see `ownContext`.

export const marked = new WeakSet<object>();
