import { type AllowCall, createTransport, defineProtocol, json, serve, tcp, ws } from 'trunkline';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const shop = defineProtocol({
  name: 'shop',
  version: 1,
  channel: 0x20,
  methods: { price: { id: 1, request: json(z.string()), response: json(z.int()) } },
});
const replication = defineProtocol({
  name: 'replication',
  version: 1,
  channel: 0x21,
  methods: { append: { id: 1, request: json(z.string()), response: json(z.boolean()) } },
});

const authority = await createAuthority({ name: 'our servers' });
const [first, second] = [createIdentity(), createIdentity()];
const replicas = new Set([first.nodeId, second.nodeId]);
async function tlsOf(identity: typeof first) {
  return { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
}

/** TLS proves the node id. */
const onlyReplicas: AllowCall = ({ nodeId }) => nodeId !== undefined && replicas.has(nodeId);
// One transport: other replicas come over TLS, and pages over WebSocket.
const server = createTransport(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'], {
  protocol: shop,
  backends: [tcp({ tls: await tlsOf(first) }), ws()],
});
serve(server, { price: () => 3 }); // everybody may ask
serve(server.mount(replication, { allow: onlyReplicas }), { append: () => true });
await server.listen();
const [forReplicas, forPages] = server.localAddrs() as [string, string];

const replica = createTransport({ protocol: shop, backends: [tcp({ tls: await tlsOf(second) })] });
const page = createTransport({ protocol: shop, backends: [ws()] });
for (const [client, at] of [
  [replica, forReplicas],
  [page, forPages],
] as const) {
  const price = await client.send(at, 'price', 'tea');
  const log = client.mount(replication);
  const appended = await log.send(at, 'append', 'sold: tea').catch(({ code }) => code);
  console.log(`${client === page ? 'a page' : 'a replica'}: ${price}, ${appended}`);
}
await Promise.all([replica.close(), page.close()]);
await server.close();
