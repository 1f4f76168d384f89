// Settings that the environment of the process makes.

declare const process: { readonly env?: Readonly<Record<string, string | undefined>> } | undefined;

/**
 * Returns true if the environment asks for the stacks of callers (TRUNKLINE_CALLER_STACKS=1);
 * always false in a browser.
 */
export const environmentAsksForStacks = (): boolean =>
  typeof process !== 'undefined' && process.env?.['TRUNKLINE_CALLER_STACKS'] === '1';
