// Tests of the option `relay` and of the options of `relay()`.

import { createPeers } from '@trunkline/peers';
import test from 'ava';
import { relay } from './driver/relay-driver.ts';
import { createGossip } from './gossip.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import { idle, runs, simulationOf } from './testing/cluster.ts';

test('invalid options of relays throw a TypeError that names them', (t) => {
  t.throws(() => relay({ fanout: 0 }), {
    instanceOf: TypeError,
    message: /^relay: fanout: must be an integer from 1 to 64, got 0/,
  });
  t.throws(() => relay({ size: 1 } as object), { instanceOf: TypeError, message: /^relay: / });
});

test('the option relay takes the value of relay() only', (t) => {
  const transport = simulationOf(runs(1)[0]!).client(idle, { name: 'x' });
  const peers = createPeers({ transport });
  for (const wrong of [{ fanout: 3 }, fullMesh(), true])
    t.throws(() => createGossip({ transport, peers, overlay: fullMesh(), relay: wrong as never }), {
      instanceOf: TypeError,
      message: /relay: must be relay\(\{ … \}\) of @trunkline/,
    });
  t.notThrows(() => createGossip({ transport, peers, overlay: fullMesh(), relay: relay() }));
});
