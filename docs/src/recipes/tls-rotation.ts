import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { type Authority, createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});

async function startNode(authority: Authority) {
  const identity = createIdentity(); // in production: loadOrCreateIdentity('node.key')
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const backends = [tcp({ tls })];
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: chat, backends });
  serve(transport, {
    say: (text, { from }) => `heard: ${text}, proven: ${from.nodeId !== undefined}`,
  });
  await transport.listen();
  return { identity, transport };
}

const authority = await createAuthority({ name: 'authority 2026' });
const nodes = [await startNode(authority), await startNode(authority)] as const;
const [ada, bob] = nodes;
const target = `${bob.identity.nodeId}@${bob.transport.advertiseAddr()}`; // Bob, or an error
async function call(when: string) {
  await ada.transport.closeStreams(); // drops all connections, so that both prove themselves again
  console.log(`${when}: ${await ada.transport.send(target, 'say', 'hello')}`);
}
await call('at first');

// A node whose certificate is of another authority is refused.
const stranger = await startNode(await createAuthority({ name: 'another' }));
await stranger.transport
  .send(target, 'say', 'hello')
  .catch(({ code, reason }) => console.log('a stranger:', code, reason));
await stranger.transport.close();

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
