// Tests identities and Noise inside a simulation, without any special options: they work, and a
// second run is identical to the byte.

import { assertDeterministic, createSimulation, type Simulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from '../index.noise.ts';

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

/**
 * Runs two nodes that create their keys as they start; returns their ids and the node ids that the
 * server saw.
 */
async function talk(sim: Simulation): Promise<{ ids: string[]; heard: (string | undefined)[] }> {
  const ids: string[] = [];
  const heard: (string | undefined)[] = [];
  sim.node('server', async ({ transport }) => {
    const identity = createIdentity();
    ids.push(identity.nodeId);
    const net = transport(echo, { layer: (layer) => createNoiseStreamLayer(layer, { identity }) });
    serve(net, {
      echo(request, { from }) {
        heard.push(from.nodeId);
        return request;
      },
    });
    await net.listen();
  });
  let answers = 0;
  sim.node('client', async ({ transport, clock }) => {
    const identity = createIdentity();
    ids.push(identity.nodeId);
    const net = transport(echo, { layer: (layer) => createNoiseStreamLayer(layer, { identity }) });
    for (; answers < 3; answers++) {
      await net.send('server', 'echo', new Uint8Array([1, 2, 3]));
      await clock.sleep(100);
    }
  });
  await sim.until(() => answers === 3);
  return { ids, heard };
}

test.serial('keys and noise derive from the seed without an option', async (t) => {
  const options = { level: 'stream', link: { latency: [1, 20] } } as const;
  const run = async (seed: number) => {
    const sim = createSimulation({ seed, ...options });
    const found = await talk(sim);
    t.deepEqual(await sim.close(), []);
    return found;
  };
  const first = await run(1);
  t.is(new Set(first.ids).size, 2);
  t.deepEqual(first.heard, [first.ids[1], first.ids[1], first.ids[1]]);
  createIdentity();
  t.deepEqual(await run(1), first);
  t.notDeepEqual((await run(2)).ids, first.ids);
  t.regex(await assertDeterministic(talk, options), /^[0-9a-f]{64}$/);
});

test.serial('at message level, the error names the level that noise needs', async (t) => {
  const sim = createSimulation();
  sim.node('server', async ({ transport }) => {
    await transport(echo).listen();
  });
  const identity = createIdentity();
  const client = sim.client(echo, {
    layer: (layer) => createNoiseStreamLayer(layer, { identity }),
  });
  await t.throwsAsync(sim.settle(client.dial('server')), {
    message: /level: 'stream' in a simulation/,
  });
  await sim.close();
});

test('outside of a simulation keys come from the system', (t) => {
  t.not(createIdentity().nodeId, createIdentity().nodeId);
});
