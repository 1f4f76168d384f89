// Sets V8's flags for the tests, and switches source maps off. scripts/test-lane.mjs loads it
// into each process that runs tests, and so into those that the tests start.

import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

// Node 20 optimizes a function after about 66 kB of its bytecode have run. Most test files end
// before the optimized code has repaid its compilation: with this value the tests use about a
// seventh less CPU. Code that has not been optimized runs faster if V8 compiles it without
// optimization at once, instead of interpreting it first: that saves a twentieth. Newer releases
// have a cheaper compiler in between (Maglev) and other flags.
if (process.versions.node.startsWith('20.')) {
  setFlagsFromString('--interrupt-budget=1000000');
  setFlagsFromString('--always-sparkplug');
}

// AVA switches source maps on, and then Node reads the map of each file that a test loads. The
// output of failures is translated afterwards, by test-lane.mjs.
process.setSourceMapsEnabled(false);
