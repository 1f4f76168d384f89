// The entry of `npx pnpm@12 bench [name]`: runs the benchmark of that name, or that of calls.

import { dispatch } from './dispatch.ts';

// biome-ignore format: names, not rows
const NAMES = [
  'calls', 'gossip', 'line', 'nats', 'observing', 'real', 'relay', 'scale', 'simulation',
  'simulation-loads', 'start', 'webrtc',
];
const programs = Object.fromEntries(
  NAMES.map((name) => [name, new URL(`./${name}.js`, import.meta.url)]),
);

await dispatch(programs, programs['calls']);
