import { createTransport, defineProtocol, json, serve, tcp, ws } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
const authority = await createAuthority({ name: 'our network' });

/** Proves its id to other nodes over TCP, and listens on plain WebSocket for web pages. */
async function node(seeds: string[]) {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const transport = createTransport(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'], {
    protocol: chat,
    backends: [tcp({ tls }), ws()],
  });
  const peers = createPeers({ transport, seeds });
  serve(transport, {
    say: (text, { from }) => `${text}, ${from.nodeId === undefined ? 'page' : 'node'}`,
  });
  await transport.listen();
  await peers.start();
  return { transport, peers, close: () => peers.close().then(() => transport.close()) };
}

const ada = await node([]);
const bob = await node([ada.transport.advertiseAddr()]);
await bob.peers.ready();

const page = createTransport({ protocol: chat, backends: [ws()] }); // as in a browser
console.log(await page.send(ada.transport.localAddrs()[1]!, 'say', 'hello'));
console.log(await bob.transport.send(`node:${ada.peers.nodeId}`, 'say', 'hello'));
console.log(ada.peers.list().length, 'peer,', ada.transport.remotes().length, 'connections');

await page.close();
await Promise.all([ada.close(), bob.close()]);
