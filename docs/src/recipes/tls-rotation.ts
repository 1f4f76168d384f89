import { createTcpTransport } from '@trunkline/transport-tcp';
import { defineProtocol, json, serve } from 'trunkline';
import { type Authority, createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

async function startNode(authority: Authority) {
  const identity = createIdentity(); // in production: loadOrCreateIdentity('node.key')
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const transport = createTcpTransport({ protocol: chat, bindAddr: '127.0.0.1:0', tls });
  serve(transport, { say: (text) => `heard: ${text}` });
  await transport.listen();
  return { identity, transport };
}

const authority = await createAuthority({ name: 'authority 2026' });
const nodes = [await startNode(authority), await startNode(authority)] as const;
const [ada, bob] = nodes;
const target = `${bob.identity.nodeId}@${bob.transport.advertiseAddr()}`; // Bob, or an error
async function call(when: string) {
  await ada.transport.closeStreams(); // both prove themselves again, for this example
  console.log(`${when}: ${await ada.transport.send(target, 'say', 'hello')}`);
}
await call('at first');

// Every 60 days: a new certificate for the same key. Open connections stay.
for (const { identity, transport } of nodes)
  await transport.updateTls({ cert: await authority.issue(identity) });
await call('renewed');

// A new authority, in three steps. Finish each step at all nodes before the next one.
const next = await createAuthority({ name: 'authority 2027' });
for (const { transport } of nodes) await transport.updateTls({ ca: [authority.cert, next.cert] });
await call('both are trusted');
for (const { identity, transport } of nodes)
  await transport.updateTls({ cert: await next.issue(identity) });
await call('certificates of the new authority');
for (const { transport } of nodes) await transport.updateTls({ ca: next.cert });
await call('the old authority is gone');

await Promise.all(nodes.map(({ transport }) => transport.close()));
