// Sets V8's flags for the tests. scripts/test.mjs loads it into each process that runs tests, and so
// into those that the tests start.

import { setFlagsFromString } from 'node:v8';

// Node 20 optimizes a function after about 66 kB of its bytecode have run. Most test files end before
// the optimized code has repaid its compilation: with this value the tests use about a seventh
// less CPU. Newer releases have a cheaper compiler in between (Maglev) and other flags.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=1000000');
