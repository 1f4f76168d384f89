// A script that a test runs in a separate process. It locks a store, reports that, and holds the
// store until it is killed.

import { createFileStore } from './file-store.ts';

const store = createFileStore(process.argv[2]!);
const before = await store.get('pid');
await store.set('pid', new TextEncoder().encode(`${process.pid}`));
process.stdout.write(`taken ${before === undefined ? before : new TextDecoder().decode(before)}\n`);
process.stdin.resume();
