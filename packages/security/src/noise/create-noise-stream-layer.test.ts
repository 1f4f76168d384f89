// Tests the options, keys and addresses of a secured layer.

import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createNoiseStreamLayer, secured } from './create-noise-stream-layer.ts';
import { ada, bob } from './testing/greetings.ts';
import { connect } from './testing/layers.ts';
import { ManualLayer } from './testing/manual-layer.ts';

test('invalid options throw TypeErrors that name them', (t) => {
  const layer = new ManualLayer();
  const wrong: [object, RegExp][] = [
    [{}, /createNoiseStreamLayer: identity: is required: must be an identity/],
    [{ identity: { nodeId: 'x' } }, /identity: must be an identity/],
    [
      {
        identity: { nodeId: bob.nodeId, publicKey: ada.publicKey, sign: () => new Uint8Array(64) },
      },
      /identity: must have the node id of its own public key/,
    ],
    [
      { identity: ada, allow: ['AB'] },
      /allow: must be a list of node ids: 64 lower-case hex digits each/,
    ],
    [{ identity: ada, deny: 'x' }, /deny: must be a list of node ids/],
    [{ identity: ada, clock: 7 }, /clock: must be a Clock/],
    [{ identity: ada, random: 7 }, /random: must be a function/],
    [
      { identity: ada, random: () => Number.NaN },
      /random: must return numbers from 0 \(included\)/,
    ],
    [{ identity: ada, alow: [] }, /alow: unknown option; did you mean 'allow'/],
  ];
  for (const [options, message] of wrong)
    t.throws(() => createNoiseStreamLayer(layer, options as never), {
      instanceOf: TypeError,
      message,
    });
  t.throws(() => createNoiseStreamLayer(layer, undefined as never), { instanceOf: TypeError });
  const noise = createNoiseStreamLayer(layer, { identity: ada });
  t.throws(() => noise.updatePeers({ allow: ['x'] }), {
    instanceOf: TypeError,
    message: /updatePeers: allow/,
  });
  t.throws(() => secured({ schemes: ['x'], layer: () => layer }, {} as never), {
    instanceOf: TypeError,
    message: /secured: identity/,
  });
});

test('addresses are those of the layer below', async (t) => {
  const layer = new ManualLayer();
  const noise = createNoiseStreamLayer(layer, { identity: ada });
  t.deepEqual(
    [noise.localAddr(), noise.advertiseAddr(), noise.localAddrs?.()],
    ['hand:0', 'hand:advertised', ['hand:0']],
  );
  const several = createNoiseStreamLayer(
    Object.assign(new ManualLayer(), { localAddrs: () => ['a', 'b'] }),
    {
      identity: ada,
    },
  );
  t.deepEqual(several.localAddrs?.(), ['a', 'b']);
});

test('the same random source gives the same first bytes, and each dial has different ones', async (t) => {
  const first = async (seed: number) => {
    const layer = new ManualLayer();
    const noise = createNoiseStreamLayer(layer, {
      identity: ada,
      random: seededRandom(seed),
      clock: createManualClock(),
    });
    const begin = async (n: number) => {
      noise.dial('there', { timeout: 1_000 }).catch(() => {});
      return (await connect(layer, {}, n)).written[0]!;
    };
    return [await begin(0), await begin(1)];
  };
  const [one, again, other] = [await first(1), await first(1), await first(2)];
  t.deepEqual(one, again);
  t.notDeepEqual(one, other);
  t.notDeepEqual(one[0], one[1]);
});
