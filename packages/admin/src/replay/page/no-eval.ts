// Keeps zod from trying to compile its schemas, which the page's security policy forbids. The page
// imports this file first, because a schema looks at the setting when it is created.

import * as z from 'zod/mini';

z.config({ jitless: true });
