// The module '#context' in browsers, which have no async contexts; elsewhere, it is
// system-context.ts. Both must export the same names. The compiler takes the types of '#context'
// from system-context.ts alone (package.json), so only a bundle for pages (scripts/check.mjs,
// browser/) fails if a name is missing here.

import type { Contexts } from './context.ts';

export const contexts: Contexts | undefined = undefined;
