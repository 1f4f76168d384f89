// A script that a test runs in a process of its own. It prints the id of the identity in a file.

import { loadOrCreateIdentity } from './key-file.ts';

const { nodeId } = await loadOrCreateIdentity(process.argv[2]!);
process.stdout.write(`${nodeId}\n`);
