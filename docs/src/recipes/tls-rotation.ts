import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});

const authority = await createAuthority({ name: 'authority 2026' });
async function startNode() {
  const identity = createIdentity(); // in production: loadOrCreateIdentity('node.key')
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const backends = [tcp({ tls })];
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: chat, backends });
  serve(transport, { say: (text) => `heard: ${text}` });
  await transport.listen();
  return { identity, transport };
}

const nodes = [await startNode(), await startNode()] as const;

// Every 60 days: a new certificate for the same key. Open connections stay.
for (const { identity, transport } of nodes)
  await transport.updateTls({ cert: await authority.issue(identity) });

// A new authority, in three steps. Finish each step at all nodes before the next one.
const next = await createAuthority({ name: 'authority 2027' });
for (const { transport } of nodes) await transport.updateTls({ ca: [authority.cert, next.cert] });
for (const { identity, transport } of nodes)
  await transport.updateTls({ cert: await next.issue(identity) });
for (const { transport } of nodes) await transport.updateTls({ ca: next.cert });

const [ada, bob] = nodes;
const target = `${bob.identity.nodeId}@${bob.transport.advertiseAddr()}`; // Bob, or an error
console.log(await ada.transport.send(target, 'say', 'hello'));
for (const { transport } of nodes) await transport.close();
