// Tests of the data that a NATS server sees: everything without Noise, and nothing with Noise.

import { connect } from '@nats-io/transport-node';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { type Backend, createTransport, serve } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { nats } from './nats.ts';
import { testProtocol as protocol } from './testing/protocol.ts';
import { serverOfFile, natsTest as test } from './testing/server.ts';

const server = (await serverOfFile())!;
const SECRET = 'the meeting is at noon';

test('without Noise, whoever may subscribe sees each call', async (t) => {
  t.true(await seen(t, 'open', () => nats()));
});

test('with Noise, nobody between the ends sees a call, and each end knows the other', async (t) => {
  t.false(await seen(t, 'sealed', () => secured(nats(), { identity: createIdentity() })));
});

/** Returns true if the secret of a call passes through the server in plain text. */
async function seen(t: ExecutionContext, name: string, backend: () => Backend): Promise<boolean> {
  const raw = await connect({ servers: server.address });
  t.teardown(() => raw.close());
  let text = '';
  raw.subscribe(`trunkline.default.in.${name}.>`, {
    callback: (_error, message) => {
      text += new TextDecoder('latin1').decode(message.data);
    },
  });
  await raw.flush();
  const address = `nats://${server.address}/${name}`;
  const far = createTransport(address, { protocol, backends: [backend()] });
  serve(far, { echo: (request) => request });
  await far.listen();
  const near = createTransport({ protocol, backends: [backend()] });
  t.teardown(() => Promise.all([near.close(), far.close()]));
  const answer = await near.send(address, 'echo', new TextEncoder().encode(SECRET));
  t.is(new TextDecoder().decode(answer), SECRET);
  await raw.flush();
  t.true(text.length > 0);
  return text.includes(SECRET);
}
