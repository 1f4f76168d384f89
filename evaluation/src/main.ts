// The entry of `npx pnpm@12 evaluate <name>`: runs the evaluation of that name.

import { dispatch } from '@trunkline/bench/dispatch';

await dispatch({
  faults: new URL('./faults.js', import.meta.url),
  gossip: new URL('./gossip.js', import.meta.url),
  peers: new URL('./peers.js', import.meta.url),
  planted: new URL('./planted.js', import.meta.url),
  scale: new URL('./scale.js', import.meta.url),
  soak: new URL('./soak.js', import.meta.url),
});
