// Tests of the hub and its client together, over connections in memory.

import { createIdentity } from '@trunkline/security';
import { type Clock, createTransport, TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { SignalMessage, SignalSession } from '../signal.ts';
import { rejection } from '../testing/rejection.ts';
import { encodeKey, messageToSign } from './proof.ts';
import { signalingProtocol } from './protocol.ts';
import { hubAddress, hubFixture, listening, openSession, recorded } from './testing/nodes.ts';

const OPEN = { timeout: 5_000 };
const offer: SignalMessage = { type: 'offer', sdp: 'v=0\r\n' };
const answer: SignalMessage = { type: 'answer', sdp: 'v=0\r\nb=1\r\n' };

test('a session carries messages in both directions, with the proven id of the other node', async (t) => {
  const { node, hub } = await hubFixture(t);
  const { ada, bob, dialed, accepted } = await openSession({ node });
  t.is(accepted.session.peer, ada.nodeId);
  t.is(dialed.session.peer, bob.nodeId);
  dialed.session.send(offer);
  t.deepEqual(await accepted.next(), offer);
  accepted.session.send(answer);
  accepted.session.send({ type: 'candidate', candidate: '', sdpMid: '0', sdpMLineIndex: 0 });
  t.deepEqual(await dialed.next(), answer);
  t.is(((await dialed.next()) as SignalMessage).type, 'candidate');
  t.like(hub.snapshot(), { realms: [{ name: 'main', nodes: 2 }], sessions: 1, relays: 0 });
  dialed.session.close();
  t.is(await accepted.closed, undefined);
});

test('a session names the source of its opener by an opaque tag, always the same', async (t) => {
  const { node } = await hubFixture(t);
  const bob = node();
  const next = await listening(bob);
  const opener = node();
  for (let sessions = 0; sessions < 2; sessions++) await opener.open(bob.nodeId, OPEN);
  const [first, second] = [(await next()).session, (await next()).session];
  t.regex(first.source!, /^[\w+/]{12}$/);
  t.is(second.source, first.source);
});

test('the end of a session by the accepting node carries its error', async (t) => {
  const { node, hub } = await hubFixture(t);
  const { dialed, accepted } = await openSession({ node });
  accepted.session.close(new TransportError('resource_exhausted', 'no room', { reason: 'full' }));
  const error = await dialed.closed;
  t.is(error?.code, 'resource_exhausted');
  t.is(error?.reason, 'full');
  t.is(error?.message, 'no room');
  // The hub forgets the session shortly after both ends were notified.
  while (hub.snapshot().sessions > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('the end of a session by the dialing node carries its error', async (t) => {
  const { node } = await hubFixture(t);
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  const session = await ada.open(bob.nodeId, OPEN);
  session.close(new TransportError('cancelled', 'not needed')); // without attach
  t.is((await (await next()).closed)?.code, 'cancelled');
});

test('open rejects with connection_refused for a node that is away or in another realm', async (t) => {
  const { node } = await hubFixture(t);
  const [ada, bob, cyd] = [node(), node(), node({ realm: 'other' })];
  t.is((await rejection(ada.open(bob.nodeId, OPEN))).reason, 'connection_refused');
  await listening(cyd);
  t.is((await rejection(ada.open(cyd.nodeId, OPEN))).reason, 'connection_refused');
  await listening(bob);
  (await ada.open(bob.nodeId, OPEN)).close();
  await bob.unlisten();
  t.is((await rejection(ada.open(bob.nodeId, OPEN))).reason, 'connection_refused');
});

test('open rejects with the reason of its signal', async (t) => {
  const { node } = await hubFixture(t);
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  t.is(await rejection(node().open('00', { timeout: 1_000, signal })), reason as TransportError);
});

test('open rejects with unavailable if there is no hub', async (t) => {
  const { node, stop } = await hubFixture(t);
  await stop();
  t.is((await rejection(node().open('00', OPEN))).code, 'unavailable');
});

test('a node registers again by itself when the hub has restarted', async (t) => {
  const { node, stop, start } = await hubFixture(t);
  const { ada, bob, dialed, next } = await openSession({ node });
  await stop();
  t.truthy(await dialed.closed);
  await start();
  let again: SignalSession | undefined;
  while (again === undefined) {
    again = await ada.open(bob.nodeId, OPEN).catch(() => undefined);
    if (again === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  again.send(offer);
  t.deepEqual(await (await next()).next(), offer);
});

test('a signal that no transport uses any more leaves the hub, and registers when it is used', async (t) => {
  const { node, hub } = await hubFixture(t);
  const nodes = () => hub.snapshot().realms[0]?.nodes;
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  ada.ref(true);
  ada.ref(true);
  const dialed = recorded(await ada.open(bob.nodeId, OPEN));
  const accepted = await next();
  ada.ref(false);
  (await ada.open(bob.nodeId, OPEN)).close();
  t.is(nodes(), 2, 'another transport uses it');
  ada.ref(false);
  while (nodes() !== 1) await new Promise((resolve) => setImmediate(resolve));
  dialed.session.send(offer);
  t.deepEqual(await accepted.next(), offer, 'its sessions stay open');
  dialed.session.close();
  await accepted.closed;
  (await ada.open(bob.nodeId, OPEN)).close();
  t.is(nodes(), 2);
});

test('a signal that leaves while it registers can be used at once', async (t) => {
  const { node, hub } = await hubFixture(t);
  const [ada, bob] = [node(), node()];
  await listening(bob);
  for (let i = 0; i < 3; i++) {
    ada.ref(true);
    ada.open(bob.nodeId, OPEN).catch(() => {});
    for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve));
    ada.ref(false);
    (await ada.open(bob.nodeId, OPEN)).close();
    t.is(hub.snapshot().realms[0]?.nodes, 2);
  }
});

test('unlisten ends the attempts to register again', async (t) => {
  const { node, stop } = await hubFixture(t);
  const manual = createManualClock();
  let pause: AbortSignal | undefined;
  const clock: Clock = Object.assign(Object.create(manual), {
    sleep(delay: number, signal?: AbortSignal) {
      pause = signal;
      return manual.sleep(delay, signal);
    },
  });
  const bob = node({ clock });
  await bob.listen(() => {});
  await stop();
  while (pause === undefined) await new Promise((resolve) => setImmediate(resolve));
  t.false(pause.aborted);
  await bob.unlisten();
  t.true(pause.aborted);
});

test('a signal that listens stays registered when no transport uses it', async (t) => {
  const { node } = await hubFixture(t);
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  bob.ref(true);
  bob.ref(false);
  (await ada.open(bob.nodeId, OPEN)).close();
  t.is((await next()).session.peer, ada.nodeId);
});

test('the newest registration of a node replaces the older one, which fails with address_in_use', async (t) => {
  const { node, hub } = await hubFixture(t);
  const identity = createIdentity();
  const [older, newer, ada] = [node({ identity }), node({ identity }), node()];
  let fail: (error: TransportError) => void = () => {};
  const failed = new Promise<TransportError>((resolve) => (fail = resolve));
  await older.listen(
    () => {},
    (error) => fail(error),
  );
  const next = await listening(newer);
  t.is((await failed).reason, 'address_in_use');
  (await ada.open(identity.nodeId, OPEN)).close();
  t.is((await next()).session.peer, ada.nodeId);
  t.like(hub.snapshot(), { realms: [{ nodes: 2 }] });
});

test('a node that does not own the key of its id is refused', async (t) => {
  const { node, hub } = await hubFixture(t);
  const [owner, thief] = [createIdentity(), createIdentity()];
  const forged = {
    ...owner,
    nodeId: owner.nodeId,
    publicKey: owner.publicKey,
    sign: (message: Uint8Array) => thief.sign(message),
  };
  const error = await rejection(node({ identity: forged as typeof owner }).listen(() => {}));
  t.is(error.code, 'unauthenticated');
  t.deepEqual(hub.snapshot().realms, []);
});

test('a node that sends no proof is refused after 10 s', async (t) => {
  const clock = createManualClock();
  const { address, backends, hub } = await hubFixture(t, {}, clock);
  const transport = createTransport({ protocol: signalingProtocol, backends });
  t.teardown(() => transport.close());
  const registration = {
    hub: address,
    realm: 'main',
    publicKey: encodeKey(createIdentity().publicKey),
  };
  const items = await transport.send(address, 'register', registration, { upload: silence() });
  const call = items[Symbol.asyncIterator]();
  t.is((await call.next()).value?.length, 32);
  const end = rejection(call.next());
  clock.advance(9_999);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(await Promise.race([end, 'waits']), 'waits');
  clock.advance(1);
  const error = await end;
  t.is(error.code, 'unauthenticated');
  t.regex(error.message, /no proof came within 10 s/);
  t.deepEqual(hub.snapshot().realms, []);
});

async function* silence(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
}

test('a signature for one realm or hub does not register in another', (t) => {
  const challenge = new Uint8Array(32);
  const message = messageToSign({ hub: 'ws://a', realm: 'a' }, challenge);
  t.notDeepEqual(message, messageToSign({ hub: 'ws://a', realm: 'b' }, challenge));
  t.notDeepEqual(message, messageToSign({ hub: 'ws://b', realm: 'a' }, challenge));
});

test('a hub with addresses registers the nodes that dial one of them', async (t) => {
  const { node, hub } = await hubFixture(t, { addresses: ['wss://a', `${hubAddress(t)}/`] });
  await node().listen(() => {});
  t.is(hub.snapshot().realms.length, 1);
});

test('another hub cannot register as the nodes that use it', async (t) => {
  const addresses = [hubAddress(t)];
  const { address, backends, hub } = await hubFixture(t, { addresses });
  const transport = createTransport({ protocol: signalingProtocol, backends });
  t.teardown(() => transport.close());
  const victim = createIdentity();
  for (const named of [address, 'wss://other']) {
    let sign: (signature: Uint8Array) => void = () => {};
    const signature = new Promise<Uint8Array>((resolve) => (sign = resolve));
    const upload = (async function* () {
      yield await signature;
    })();
    const publicKey = encodeKey(victim.publicKey);
    const request = { hub: named, realm: 'main', publicKey };
    const attempt = async () => {
      const items = await transport.send(address, 'register', request, { upload });
      const call = items[Symbol.asyncIterator]();
      const { value: challenge } = await call.next();
      // The victim has dialed the other hub, which forwards this challenge to the victim.
      sign(victim.sign(messageToSign({ hub: 'wss://other', realm: 'main' }, challenge!)));
      await call.next();
    };
    t.is((await rejection(attempt())).code, 'unauthenticated');
    t.deepEqual(hub.snapshot().realms, []);
  }
});

test('the hub refuses other realms than its own, and nodes that admit refuses', async (t) => {
  const banned = createIdentity();
  const { node } = await hubFixture(t, {
    realms: ['main'],
    admit({ nodeId }) {
      if (nodeId === banned.nodeId) throw new Error('banned');
    },
  });
  t.is((await rejection(node({ realm: 'x' }).listen(() => {}))).code, 'permission_denied');
  t.is((await rejection(node({ identity: banned }).listen(() => {}))).code, 'permission_denied');
  await node().listen(() => {});
  t.pass();
});

test('the limits of realms, nodes and sessions refuse with resource_exhausted', async (t) => {
  const small = await hubFixture(t, {
    limits: { realms: 1, nodesPerRealm: 3, sessionsPerNode: 1 },
  });
  const [ada, bob, cyd] = [small.node(), small.node(), small.node()];
  await ada.listen(() => {});
  t.is((await rejection(small.node({ realm: 'x' }).listen(() => {}))).code, 'resource_exhausted');
  const next = await listening(bob);
  await listening(cyd);
  t.is((await rejection(small.node().listen(() => {}))).code, 'resource_exhausted');
  await ada.open(bob.nodeId, OPEN);
  await next();
  t.is((await rejection(cyd.open(bob.nodeId, OPEN))).code, 'resource_exhausted');
});

test('a session with too many messages ends with resource_exhausted', async (t) => {
  const { dialed, accepted } = await openSession(await hubFixture(t));
  for (let i = 0; i < 300; i++) {
    dialed.session.send(offer);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.truthy(await Promise.race([accepted.closed, dialed.closed]));
});

test('close of the signal ends its registration', async (t) => {
  const { node, hub } = await hubFixture(t);
  const ada = node();
  await ada.listen(() => {});
  await ada.close();
  await ada.close();
  while (hub.snapshot().realms.length > 0) await new Promise((resolve) => setImmediate(resolve));
  t.is((await rejection(ada.listen(() => {}))).code, 'shutdown');
});

test('a session ends after 60 s, even if its node reads nothing', async (t) => {
  const clock = createManualClock();
  const { node, hub } = await hubFixture(t, {}, clock);
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  const dialed = await ada.open(bob.nodeId, OPEN);
  const { session } = await next();
  for (let i = 0; i < 100; i++) session.send({ type: 'offer', sdp: 'x'.repeat(16_000) });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.is(hub.snapshot().sessions, 1);
  clock.advance(60_000);
  while (hub.snapshot().sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  dialed.close();
});
