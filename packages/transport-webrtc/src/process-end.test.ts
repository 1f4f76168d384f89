// A program ends once its transports are closed, although their signal is not.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport, serve } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import test, { type ExecutionContext } from 'ava';
import type { Signal } from './signal.ts';
import { createSignalHub } from './signaling/hub.ts';
import { createHubSignal } from './signaling/hub-signal.ts';
import { signalingProtocol } from './signaling/protocol.ts';
import { echo } from './testing/echo.ts';
import { router } from './wamp/testing/router.ts';
import { createWampSignal } from './wamp/wamp-signal.ts';
import { webrtc } from './webrtc.ts';

const program = fileURLToPath(new URL('./testing/closed-transports.js', import.meta.url));
const { NODE_OPTIONS: _, ...env } = process.env;

test.serial('over a hub, a program ends once its transports are closed', async (t) => {
  const hub = createTransport('ws://127.0.0.1:0', {
    protocol: signalingProtocol,
    backends: [ws()],
  });
  t.teardown(() => hub.close());
  createSignalHub({ transport: hub });
  await hub.listen();
  const address = hub.localAddr();
  const identity = createIdentity();
  await run(t, 'hub', address, identity, createHubSignal({ address, backends: [ws()], identity }));
});

test.serial('over WAMP, a program ends once its transports are closed', async (t) => {
  const { url } = await router(t);
  const identity = createIdentity();
  const { nodeId } = identity;
  await run(t, 'wamp', url, identity, createWampSignal({ address: url, nodeId }));
});

/** Runs the program, which dials a node with this signal. */
async function run(
  t: ExecutionContext,
  kind: string,
  address: string,
  identity: Identity,
  signal: Signal,
) {
  t.timeout(60_000);
  const backends = [webrtc({ signal, identity })];
  const transport = createTransport('webrtc://0', { protocol: echo, backends });
  serve(transport, { echo: (echoed) => echoed });
  t.teardown(() => transport.close());
  await transport.listen();
  const args = [program, kind, address, signal.nodeId];
  const running = promisify(execFile)(process.execPath, args, { env, timeout: 20_000 });
  t.is((await running).stdout, 'closed 1\nclosed 2\n');
}
