// Tests of the overlay in which each node sends to all others.

import test from 'ava';
import { FullMesh } from './full-mesh.ts';
import type { Body, OverlayOutput } from './overlay.ts';

test('a message that its publisher sends has one hop, whatever the publisher says', (t) => {
  const mesh = new FullMesh({ self: 'me' }, 3);
  for (const peer of ['a', 'b']) mesh.handle(0, { type: 'peer-up', peer, isChosen: true });
  const payload: Body = { audience: 'all', nodes: [], payload: new Uint8Array(1), message: 1 };
  const id = { origin: 'a', epoch: 1, sequence: 1 };
  const message = { kind: 'push', id, hops: 3, payload, size: 1 } as const;
  mesh.handle(0, { type: 'received', from: 'a', message });
  const outputs: OverlayOutput[] = [];
  for (let output = mesh.poll(); output !== undefined; output = mesh.poll()) outputs.push(output);
  t.like(
    outputs.find(({ type }) => type === 'send'),
    { push: { hops: 2 }, to: ['b'] },
  );
});
