// Cases of docs/wire-protocol.md §3: the three steps of the hello, and its content.

import { RAW_LIMITS, rawHello } from '@trunkline/transport-testkit/internal';
import { has, type Suite } from './checks.ts';
import { request } from './frames.ts';
import { met } from './session-fixture.ts';

export function helloCases({ test, it, open, connect }: Suite): void {
  test("hello: the acceptor sends its HELLO after the dialer's, and is up when it has read READY", async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    peer.begin({ kind: 'HELLO', hello: rawHello() });
    await peer.next('HELLO');
    t.deepEqual(on.transport.remotes(), []);
    t.deepEqual(on.seen.events, []);
    peer.send({ kind: 'READY' });
    const { remote } = await on.seen.first('up');
    t.is(remote.direction, 'in');
    t.deepEqual(on.transport.remotes(), [remote]);
  });

  test("hello: the dialer sends its HELLO at once, sends READY after the acceptor's HELLO, and is up then", async (t) => {
    const on = await open(t);
    const { peer, dialed } = await met(on, 'dialer');
    await peer.next('HELLO');
    t.is(peer.count('READY'), 0);
    t.deepEqual(on.transport.remotes(), []);
    peer.begin({ kind: 'HELLO', hello: rawHello() });
    await peer.next('READY');
    const remote = await dialed;
    t.is(remote.direction, 'out');
    t.deepEqual(on.transport.remotes(), [remote]);
  });

  test('hello: calls in the same chunk as READY are accepted', async (t) => {
    const s = await connect(t, 'acceptor', { behindReady: [request(1, [1]), request(3, [2])] });
    for (const n of [1, 2]) {
      const rpc = await s.call('echo');
      t.deepEqual(rpc.request, Uint8Array.of(n));
      rpc.respond(rpc.request);
    }
    await s.peer.next('RESPONSE', (frame) => frame.id === 3);
  });

  test('hello: calls that waited for the dial are sent with READY or after it, in order', async (t) => {
    const on = await open(t);
    const listener = await on.listen();
    for (const n of [1, 2, 3])
      on.transport.send(listener.address, 'echo', Uint8Array.of(n)).catch(() => {});
    const peer = await listener.next();
    await peer.next('HELLO');
    t.is(peer.log.length, 1, 'no frame is sent before READY');
    peer.begin({ kind: 'HELLO', hello: rawHello() });
    await peer.next('READY');
    for (const n of [1, 2, 3]) t.deepEqual((await peer.next('REQUEST')).payload, Uint8Array.of(n));
    t.is(listener.peers.length, 1);
  });

  it('hello: a HELLO names its sender, the mounted protocols and the limits', async (t, up) => {
    const s = await up({ side: true });
    const addr = s.transport.advertiseAddr();
    has(t, s.hello, { network: 'default', wireMin: 1, wireMax: 1, addr, nodeId: '' });
    t.is(s.hello.instance.length, 16);
    t.true(s.hello.agent.length > 0);
    t.deepEqual(s.hello.protocols, [
      { name: 'lab', version: 1, accepts: [], channel: 0x20 },
      { name: 'side', version: 1, accepts: [], channel: 0x21 },
    ]);
    t.deepEqual({ ...s.hello.limits }, { ...RAW_LIMITS });
  });

  it('hello: a `hello` function receives the dialed target, or undefined on an accepted connection', async (t, up, role) => {
    const targets: (string | undefined)[] = [];
    const s = await up({
      options: {
        hello: async (target) => {
          targets.push(target);
          return { n: String(targets.length) };
        },
      },
    });
    t.is(targets.length, 1);
    t.is(targets[0] === undefined, role === 'acceptor');
    t.deepEqual(s.hello.fields, { n: '1' });
  });

  test('hello: the acceptor names the highest wire version that both ends speak', async (t) => {
    const on = await open(t);
    const peer = await on.dialIn();
    const hello = await peer.handshake({ wireMin: 1, wireMax: 9 });
    has(t, hello, { wireMin: 1, wireMax: 1 });
    await peer.barrier();
  });

  test('hello: a transport may dial itself', async (t) => {
    const on = await open(t);
    const sent = on.transport.send(on.transport.localAddr(), 'echo', Uint8Array.of(9));
    const rpc = await on.call('echo');
    t.is(rpc.from.instance, (await on.seen.first('up')).remote.instance);
    rpc.respond(rpc.request);
    t.deepEqual(await sent, Uint8Array.of(9));
  });
}
