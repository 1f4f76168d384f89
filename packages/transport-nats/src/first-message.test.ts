// Tests of the first message of the dialer, which a confirmation carries: our HELLO, or message 1 of
// Noise.

import { startNatsServer } from '@trunkline/local-nats';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import type { Backend } from '@trunkline/transport-core';
import { decodeRefusal } from './message.ts';
import { HELLO } from './testing/hello.ts';
import { client, node } from './testing/nodes.ts';
import { serverOfFile, natsTest as test } from './testing/server.ts';
import { CREDIT, REFUSE, stranger } from './testing/stranger.ts';

const servers = (await serverOfFile())!.address;
const MESSAGE_1 = Uint8Array.from([
  0x54,
  0x52,
  0x4b,
  0x4e,
  1,
  0,
  32,
  ...new Uint8Array(32).fill(9),
]);
const noise = (inner: Backend) => secured(inner, { identity: createIdentity() });

for (const [name, options, whole] of [
  ['plain', {}, HELLO],
  ['noise', { wrap: noise }, MESSAGE_1],
] as const)
  test(`a confirmation without a whole first message takes no place: ${name}`, async (t) => {
    const bindAddr = `nats://${servers}/first-${name}`;
    const far = await node(t, { servers, bindAddr, ...options });
    for (const length of [1, whole.length - 1, whole.length]) {
      const peer = await stranger(t, servers);
      await peer.dial(`first-${name}`, undefined, whole.subarray(0, length));
      const isWhole = length === whole.length;
      t.is(peer.inbox[1]!.type, isWhole ? CREDIT : REFUSE);
      t.is(far.snapshot().handshakes, isWhole ? 1 : 0);
      if (!isWhole) t.is(decodeRefusal(peer.inbox[1]!.content).reason, 'malformed');
    }
  });

test('a dialer with other security is refused before it has a connection', async (t) => {
  const plain = await node(t, { servers });
  await t.throwsAsync(client(t, { servers, wrap: noise }).dial(plain.localAddr()), {
    message: /refuses: the other end speaks .*noise \(TRKN\), this end speaks plain Trunkline/,
  });
  const sealed = await node(t, { servers, wrap: noise });
  await t.throwsAsync(client(t, { servers }).dial(sealed.localAddr()), {
    message: /refuses: the other end speaks plain Trunkline \(TRKL\), this end speaks noise/,
  });
});

test('a HELLO that is longer than a message of the server arrives in parts', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 1024' });
  t.teardown(() => server.kill());
  const far = await node(t, { servers: server.address });
  const hello = () => ({ about: 'x'.repeat(4_000) });
  const near = client(t, { servers: server.address, hello });
  t.is((await near.send(far.localAddr(), 'echo', new Uint8Array(3))).length, 3);
});
