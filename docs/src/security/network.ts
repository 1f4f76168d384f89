import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
const authority = await createAuthority({ name: 'our network' });

async function node() {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  return {
    identity,
    transport: createTransport('tcp://127.0.0.1:0', { protocol: chat, backends: [tcp({ tls })] }),
  };
}

const [ada, bob] = [await node(), await node()];
serve(bob.transport, {
  say: (text, rpc) =>
    `${text}, ${rpc.from.nodeId === ada.identity.nodeId ? 'Ada' : 'whoever you are'}`,
});
await bob.transport.listen();

const target = `${bob.identity.nodeId}@${bob.transport.localAddr()}`; // reaches Bob, or nobody
console.log(await ada.transport.send(target, 'say', 'hello'));

await bob.transport.updateTls({ cert: await authority.issue(bob.identity) }); // renewed, while it runs
await bob.transport.updateTls({ deny: [ada.identity.nodeId] }); // cuts her off, now
await ada.transport
  .send(target, 'say', 'hello')
  .catch(({ code, reason }) => console.log(code, reason));

await Promise.all([ada.transport.close(), bob.transport.close()]);
