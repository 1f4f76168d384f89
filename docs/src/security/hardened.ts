import { createTransport, defineProtocol, json, serve, tcp, ws } from 'trunkline';
import { createGossip, partialView } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const KiB = 1024;
const text = json(z.string().max(4_000), { limit: 16 * KiB, values: 1 }); // as small as the method allows
const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: text, response: text } },
});
const authority = await createAuthority();

/** Limits for one connection, for one source, and for all connections together. */
const limits = {
  handshakes: { pending: 64, perSource: 16 }, // above the number of clients behind one NAT
  connections: 2_000,
  message: 256 * KiB,
  item: 64 * KiB,
  calls: 256,
  streams: 16,
  inbound: { calls: 256, bytes: 1_024 * KiB },
  outbound: { messages: 1_024, bytes: 2_048 * KiB },
  memory: 128 * 1_024 * KiB, // of all connections together
  rate: { receive: 4_096 * KiB }, // bytes a second of one proven id, or of one connection
};

async function node(seeds: string[]) {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  const backends = [tcp({ tls }), ws({ origins: ['https://app.example'], hosts: ['127.0.0.1'] })];
  const transport = createTransport(['tcp://127.0.0.1:0', 'ws://127.0.0.1:0'], {
    protocol: chat,
    backends,
    limits,
    handshakeTimeout: 3_000,
    timeout: 10_000,
  });
  const peers = createPeers({ transport, seeds, maxInbound: 40, maxOutbound: 10 });
  const gossip = createGossip({
    transport,
    peers,
    overlay: partialView(),
    signatures: { identity },
  });
  serve(transport, { say: (said) => `heard: ${said}` }, { concurrency: 64 });
  await transport.listen();
  await peers.start();
  return {
    transport,
    peers,
    close: () =>
      gossip
        .close()
        .then(() => peers.close())
        .then(() => transport.close()),
  };
}

const ada = await node([]);
const bob = await node([ada.transport.advertiseAddr()]);
await bob.peers.ready();
const adasId = `node:${ada.peers.nodeId}`;
console.log(await bob.transport.send(adasId, 'say', 'hello'));
await bob.transport
  .send(adasId, 'say', 'x'.repeat(20 * KiB))
  .catch(({ code }) => console.log(code));

const page = createTransport({ protocol: chat, backends: [ws()] });
const elsewhere = ada.transport.localAddrs()[1]!.replace('127.0.0.1', 'localhost'); // a host that is not in the list
await page.send(elsewhere, 'say', 'hello').catch(({ code, reason }) => console.log(code, reason));

await page.close();
await Promise.all([ada.close(), bob.close()]);
