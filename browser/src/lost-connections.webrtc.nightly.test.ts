// Tests of a page on transport-webrtc that loses its connection to Node. Both ends prove their node
// ids.

import { createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import test from 'ava';
import { lines, QUICK } from './lines.ts';
import { lostConnections, openPage } from './lost-connections.ts';
import { ProxiedSignals } from './proxied-signals.ts';
import { TestServer } from './test-server.ts';
import { UdpProxy } from './udp-proxy.ts';

const inChromium = lostConnections(test, async (t, browser) => {
  const proxy = await UdpProxy.start(32);
  t.teardown(() => proxy.close());
  const signals = new ProxiedSignals(proxy);
  const identity = createIdentity();
  const nodeCall = (name: string, ...args: unknown[]) =>
    (signals as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args);
  return {
    ...(await openPage(t, browser, 'webrtc-lines', { nodeCall })),
    openServer() {
      const backends = [webrtc({ signal: signals.signal('server'), identity })];
      const options = { protocol: lines, keepAlive: QUICK, backends };
      return TestServer.listen(t, createTransport('webrtc://0', options));
    },
    async proxied({ transport }) {
      const [cut, mend] = [() => proxy.cut(), () => proxy.mend()];
      return { address: `${identity.nodeId}@${transport.localAddr()}`, cut, mend };
    },
  };
});

inChromium('a page and Node prove their node ids; another id is refused', async (t, line) => {
  const server = await line.openServer();
  const { address: target } = await line.proxied(server);
  const [nodeId, address] = target.split('@');
  void line.ask('call', target, 'wait', 60_000).catch(() => {});
  const { from } = await server.waiting();
  t.regex(from.nodeId ?? '', /^[0-9a-f]{64}$/);
  t.not(from.nodeId, nodeId);
  const other = `${createIdentity().nodeId}@${address}`;
  const refused = await line.ask('call', other, 'echo', 10_000);
  t.like(refused, { reason: 'identity_mismatch', sent: false });
});

inChromium('calls fail with their deadline while a node is not there', async (t, line) => {
  const server = await line.openServer();
  const address = server.transport.localAddr();
  t.is((await line.ask('call', address, 'wait', 300)).code, 'deadline_exceeded');
  await server.transport.close();
  await line.ask('disconnected');
  const failed = await line.ask('call', address, 'echo', 10_000);
  t.like(failed, { code: 'unavailable', reason: 'connection_refused', sent: false });
});
