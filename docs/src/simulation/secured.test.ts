import { createIdentity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import test from 'ava';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test.serial('the server knows its caller, in a simulation, too', async (t) => {
  const sim = createSimulation({ seed: 7, level: 'stream' });
  const callers: (string | undefined)[] = [];
  sim.node('server', async ({ transport }) => {
    const identity = createIdentity(); // the same for the same seed
    const net = transport(echo, { layer: (layer) => createNoiseStreamLayer(layer, { identity }) });
    serve(net, {
      echo(request, { from }) {
        callers.push(from.nodeId);
        return request;
      },
    });
    await net.listen();
  });
  const identity = createIdentity();
  const client = sim.client(echo, {
    layer: (layer) => createNoiseStreamLayer(layer, { identity }),
  });
  await sim.settle(client.send('server', 'echo', new Uint8Array([1])));
  t.deepEqual(callers, [identity.nodeId]);
  await sim.close();
});
