// Browsers have no async context. They get this file as '#context'.

import type { Contexts } from './context.ts';

export const contexts: Contexts | undefined = undefined;
