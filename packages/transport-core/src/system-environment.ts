// What the environment of the process asks for.

declare const process: { readonly env?: Readonly<Record<string, string | undefined>> } | undefined;

/** Does the environment ask for the stacks of callers (TRUNKLINE_CALLER_STACKS=1)? Never in a browser. */
export const environmentAsksForStacks = (): boolean => typeof process !== 'undefined' && process.env?.['TRUNKLINE_CALLER_STACKS'] === '1';
