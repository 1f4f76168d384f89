// A program of a user that runs on every runtime: calls and streams over TCP, WebSocket and mutual
// TLS, and an upgrade with a cookie. Run by scripts/runtimes.mjs.

import { createTransport, defineProtocol, json, serve, TransportError, tcp, ws } from 'trunkline';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  methods: {
    greet: { request: json(z.string()), response: json(z.string()) },
    count: { request: json(z.int()), download: json(z.int()) },
  },
});
const authority = await createAuthority();

/** Creates the TLS options of one node. */
async function tls() {
  const identity = createIdentity();
  return { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
}

/** Calls and streams from one end to the other, and prints what came back. */
async function use(what, address, backend, dialing = backend) {
  const server = createTransport(address, { protocol: greeter, backends: [backend] });
  serve(server, {
    greet: (name, { from }) => `Hello, ${backend.upgradeOf?.(from) ?? name}!`,
    async *count(items) {
      for (let n = 1; n <= items; n++) yield n;
    },
  });
  await server.listen();
  const client = createTransport({ protocol: greeter, backends: [dialing] });
  try {
    const to = client.to(server.localAddr());
    let last = 0;
    for await (const n of to.count(1_000)) last = n;
    const { length } = await to.greet('x'.repeat(1_000_000));
    const proof = client.remotes()[0].nodeId === undefined ? 'no id' : 'a proven id';
    console.log(`${what}: ${await to.greet('Ada')} ${last} items, ${length} characters, ${proof}`);
  } catch (error) {
    console.log(`${what}: ${error.code}`);
  }
  await client.close();
  await server.close();
}

await use('TCP', 'tcp://127.0.0.1:0', tcp());
await use('TLS', 'tcp://127.0.0.1:0', tcp({ tls: await tls() }), tcp({ tls: await tls() }));
await use('WebSocket', 'ws://127.0.0.1:0', ws());
await use('WSS', 'wss://127.0.0.1:0', ws({ tls: await tls() }), ws({ tls: await tls() }));
const web = ws({
  upgrade({ headers: { cookie } }) {
    if (cookie === undefined) throw new TransportError('unauthenticated', 'sign in first');
    return cookie;
  },
});
await use('without a cookie', 'ws://127.0.0.1:0', web, ws());
await use('with a cookie', 'ws://127.0.0.1:0', web, ws({ headers: { cookie: 'user=ada' } }));
