// Tests that a node with an identity has only connections whose ends have proven their ids.

import test, { type ExecutionContext } from 'ava';
import { createNode } from '../index.mesh.ts';
import { createAuthority, createIdentity, secured, verifySignature } from '../index.security.ts';
import { createTransport, inmem, tcp } from '../index.ts';
import { addressOf, closing, greeter as protocol, text } from './testing/fixture.ts';

const handlers = {
  greet: (name: string, { from }: { from: { nodeId?: string | undefined } }) =>
    `${name} is ${from.nodeId}`,
};

for (const place of ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0', undefined])
  test(`connections are proven by default over ${place ?? 'memory'}`, async (t) => {
    const [a, b] = [createIdentity(), createIdentity()];
    const address = (name: string) => place ?? addressOf(t, name);
    const ada = await createNode({ address: address('a'), identity: a, protocol, handlers });
    closing(t, ada);
    t.is(ada.nodeId, a.nodeId);
    const target = `${a.nodeId}@${ada.transport.advertiseAddr()}`;
    const bob = await createNode({
      address: address('b'),
      identity: b,
      protocol,
      peers: { persistent: [target] },
    });
    closing(t, bob);
    await bob.peers.ready();
    t.like(bob.peers.list(), [{ nodeId: a.nodeId, proven: true }]);
    t.is(await bob.transport.to(`node:${a.nodeId}`).greet('Bob'), `Bob is ${b.nodeId}`);
    await isRefused(t, ada.transport.advertiseAddr());
  });

/** Tests that a plain client gets no connection to an address. */
async function isRefused(t: ExecutionContext, address: string): Promise<void> {
  const client = createTransport({ protocol });
  const error = await t.throwsAsync(client.to(address).greet('Eve'));
  t.like(error, { sent: false });
  await client.close();
}

test('a node with an identity does not connect to a plain node', async (t) => {
  const plain = closing(t, await createNode({ address: 'tcp://127.0.0.1:0', protocol }));
  const node = closing(t, await createNode({ identity: createIdentity(), protocol }));
  await t.throwsAsync(node.transport.dial(plain.transport.advertiseAddr()), {
    code: 'internal',
    message: /noise|secure|plain/i,
  });
  t.deepEqual(node.transport.remotes(), []);
});

test('plain backends are refused beside an identity, at both ends', async (t) => {
  const identity = createIdentity();
  const backends = [tcp()];
  const node = await createNode({ address: 'tcp://127.0.0.1:0', identity, protocol, backends });
  closing(t, node);
  const client = createTransport({ protocol, backends });
  await t.throwsAsync(client.to(node.transport.advertiseAddr()).greet('Eve'), {
    code: 'unauthenticated',
    message: /proves none; secure the backend, as in secured\(tcp\(\), \{ identity \}\)/,
  });
  await client.close();
});

test('with certificates, connections are proven by TLS', async (t) => {
  const authority = await createAuthority();
  const start = async (persistent: readonly string[]) => {
    const identity = createIdentity();
    const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
    const backends = [tcp({ tls })];
    const peers = { persistent };
    return closing(
      t,
      await createNode({
        address: 'tcp://127.0.0.1:0',
        identity,
        protocol,
        handlers,
        backends,
        peers,
      }),
    );
  };
  const ada = await start([]);
  const bob = await start([`${ada.nodeId}@${ada.transport.advertiseAddr()}`]);
  await bob.peers.ready();
  t.is(await bob.transport.to(`node:${ada.nodeId}`).greet('Bob'), `Bob is ${bob.nodeId}`);
  await isRefused(t, ada.transport.advertiseAddr());
});

test('an identity that is not the one of the backends is refused', async (t) => {
  const backends = [secured(inmem(), { identity: createIdentity() })];
  await t.throwsAsync(createNode({ identity: createIdentity(), protocol, backends }), {
    instanceOf: TypeError,
    message: /^createNode: peers\.identity: the transport proves to be [0-9a-f]{64}/,
  });
});

test('an own admit still judges the peers', async (t) => {
  const address = addressOf(t, 'a');
  const admitted: (string | undefined)[] = [];
  const admit = ({ nodeId }: { nodeId?: string | undefined }) => void admitted.push(nodeId);
  const identity = createIdentity();
  closing(t, await createNode({ address, identity, protocol, transport: { admit } }));
  const caller = closing(t, await createNode({ identity: createIdentity(), protocol }));
  await caller.transport.dial(address);
  t.deepEqual(admitted, [caller.nodeId]);
});

test('messages may be signed with the identity, and nodes without it verify them', async (t) => {
  const address = addressOf(t, 'a');
  const start = async (own: string | undefined, seeds: string[]) => {
    const identity = createIdentity();
    const signs = own === undefined;
    const signatures = signs ? { identity } : { verify: verifySignature };
    const gossip = { topics: { news: text }, signatures };
    const peers = { seeds };
    return closing(t, await createNode({ address: own, identity, protocol, peers, gossip }));
  };
  const ada = await start(address, []);
  const bob = await start(undefined, [address]);
  await bob.topics.news.publish('rain', { min: 1 });
  for await (const { message, meta } of ada.topics.news) {
    t.is(message, 'rain');
    t.like(meta, { origin: bob.nodeId, signed: true });
    break;
  }
});
