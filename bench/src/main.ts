// The entry of `npx pnpm@12 bench [name]`: runs the benchmark of that name, or that of calls.

import { dispatch } from './dispatch.ts';

const calls = new URL('./calls.js', import.meta.url);

await dispatch(
  {
    calls,
    connections: new URL('./connections.js', import.meta.url),
    gossip: new URL('./gossip.js', import.meta.url),
    line: new URL('./line.js', import.meta.url),
    nats: new URL('./nats.js', import.meta.url),
    observing: new URL('./observing.js', import.meta.url),
    real: new URL('./real.js', import.meta.url),
    relay: new URL('./relay.js', import.meta.url),
    scale: new URL('./scale.js', import.meta.url),
    simulation: new URL('./simulation.js', import.meta.url),
    'simulation-loads': new URL('./simulation-loads.js', import.meta.url),
    start: new URL('./start.js', import.meta.url),
    types: new URL('./types.js', import.meta.url),
    webrtc: new URL('./webrtc.js', import.meta.url),
  },
  calls,
);
