// A file of its own, so that a page that only needs the key does not load the transport.

/**
 * The key under which `manage` finds the engine of a transport; shared by all copies of this
 * package.
 */
export const ENGINE: symbol = Symbol.for('trunkline.engine');
