// Tests that an access rule of a protocol also applies to transports whose targets are node ids.

import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test from 'ava';
import { createPeers } from './index.ts';

const root = defineProtocol({ name: 'root', version: 1, channel: 0x20, methods: {} });
const guarded = defineProtocol({
  name: 'guarded',
  version: 1,
  channel: 0x21,
  methods: { ask: { id: 1, request: bytes, response: bytes } },
});
const nested = defineProtocol({ ...guarded, name: 'nested', channel: 0x22 });

test('a rule for a mounted protocol is asked, also below a transport of peers', async (t) => {
  const backends = [inmem()];
  const node = async (name: string, seeds: string[]) => {
    const transport = createTransport(`inmem://${name}`, { protocol: root, backends });
    const peers = createPeers({ transport, seeds });
    await transport.listen();
    await peers.start();
    return { transport, peers, close: () => peers.close().then(() => transport.close()) };
  };
  const a = await node('a', []);
  const b = await node('b', ['inmem://a']);
  const allow = () => false;
  const served = a.peers.transport(guarded, { allow });
  serve(served, { ask: (request) => request });
  serve(served.mount(nested, { allow }), { ask: (request) => request });
  await b.peers.ready({ peers: 1 });
  for (const protocol of [guarded, nested]) {
    const asking = b.peers.transport(protocol);
    const call = asking.send(a.peers.nodeId, 'ask', new Uint8Array(1));
    await t.throwsAsync(call, { code: 'permission_denied' });
  }
  t.throws(() => a.peers.transport(root, { allow }), { instanceOf: TypeError });
  await b.close();
  await a.close();
});
