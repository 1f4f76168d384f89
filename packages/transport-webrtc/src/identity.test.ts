// Tests that a signature over both fingerprints proves the other node's id, whatever signaling
// does.

import { createIdentity, type Identity } from '@trunkline/security';
import { type Clock, systemClock } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import { loadRtc } from './node-rtc.ts';
import type { RtcDataChannel, RtcPeerConnection } from './rtc.ts';
import { fingerprintOf, withoutCandidates } from './session-description.ts';
import type { Signal } from './signal.ts';
import { bound } from './testing/lying-signal.ts';
import { rejection } from './testing/rejection.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

test('both ends know the node id that the other has proven', async (t) => {
  const [server, client] = [createIdentity(), createIdentity()];
  const { dial, accepted } = await setUp(t, { server, client });
  const near = await dial();
  t.is(near.nodeId, server.nodeId);
  t.is((await accepted).nodeId, client.nodeId);
});

test('signaling that puts itself between two nodes is found out: identity_mismatch', async (t) => {
  const [server, client] = [createIdentity(), createIdentity()];
  const [near, far] = [createMemorySignaling(), createMemorySignaling()];
  await putBetween(t, near.signal(server.nodeId), (id) => far.signal(id));
  const { dial } = await setUp(t, {
    server,
    client,
    listening: far.signal(server.nodeId),
    dialing: near.signal(client.nodeId),
  });
  const error = await rejection(dial());
  t.is(error.reason, 'identity_mismatch');
  t.regex(error.message, /signaling may have replaced them/);
});

test('a hello with a signature over other fingerprints is refused by both ends', async (t) => {
  const [server, client] = [createIdentity(), createIdentity()];
  const { dial } = await setUp(t, {
    server,
    client: { ...client, sign: () => client.sign(new Uint8Array(3)) },
  });
  const error = await rejection(dial());
  t.is(error.reason, 'identity_mismatch');
  t.is(error.origin, 'remote');
  t.regex(error.message, /certificates/);
});

test('a node that registered under the id of another is refused', async (t) => {
  const [server, client, thief] = [createIdentity(), createIdentity(), createIdentity()];
  const signaling = createMemorySignaling();
  const stolen = signaling.signal(server.nodeId);
  const { dial } = await setUp(t, {
    server: thief,
    client,
    listening: { ...bound(stolen), nodeId: thief.nodeId },
    dialing: signaling.signal(client.nodeId),
  });
  const error = await rejection(dial(`webrtc://${server.nodeId}`));
  t.is(error.reason, 'identity_mismatch');
  t.true(error.message.includes(thief.nodeId));
});

test('an end without an identity is refused by one that has one', async (t) => {
  const server = createIdentity();
  const { dial } = await setUp(t, { server, client: undefined });
  const error = await rejection(dial());
  t.is(error.reason, 'identity_mismatch');
  t.regex(error.message, /give it an identity/);
});

test('a description needs exactly one fingerprint, and no malformed one', (t) => {
  const [one, two] = ['aa', 'BB'].map((pair) => `:sha-256 ${Array(32).fill(pair).join(':')}`);
  const sdp = (...lines: unknown[]) => lines.map((line) => `a=fingerprint${line}\r\n`).join('');
  t.is(fingerprintOf(sdp(one, one)), one!.slice(1).toUpperCase());
  for (const other of [two, `${two} x`, two!.replaceAll(':BB', ':BBg'), ` ${two}`, ':sha-1 AA'])
    for (const lines of [
      [one, other],
      [other, one],
    ])
      t.throws(() => fingerprintOf(sdp(...lines)), { code: 'internal' }, `${lines}`);
  for (const lines of [[], [`${one} x`]]) t.throws(() => fingerprintOf(sdp(...lines)));
});

test('the id of the signal must be that of the identity', (t) => {
  const signal = createMemorySignaling().signal(createIdentity().nodeId);
  t.throws(() => createWebRtcStreamLayer({ signal, identity: createIdentity() }), {
    instanceOf: TypeError,
    message: /signal: must have the node id/,
  });
});

interface Setting {
  readonly server: Identity;
  readonly client: Identity | undefined;
  /** The signal of the server. Default: a signal under its own id. */
  readonly listening?: Signal;
  readonly dialing?: Signal;
}

async function setUp(t: ExecutionContext, { server, client, listening, dialing }: Setting) {
  const signaling = createMemorySignaling();
  const at = listening ?? signaling.signal(server.nodeId);
  const listener = createWebRtcStreamLayer({ signal: at, identity: server, clock });
  const dialer = createWebRtcStreamLayer({
    signal: dialing ?? signaling.signal(client?.nodeId ?? 'client'),
    identity: client,
    clock,
  });
  let accept!: (connection: StreamConnection) => void;
  const accepted = new Promise<StreamConnection>((resolve) => (accept = resolve));
  const open: StreamConnection[] = [];
  await listener.listen((connection) => {
    open.push(connection);
    accept(connection);
  });
  t.teardown(async () => {
    for (const connection of open) connection.destroy();
    await Promise.all([listener, dialer].map((layer: StreamLayer) => layer.close()));
  });
  const dial = async (address = listener.localAddr()) => {
    const connection = await dialer.dial(address, { timeout: 10_000 });
    open.push(connection);
    return connection;
  };
  return { dial, accepted };
}

/** A clock without timers, so that no deadline overtakes an error on a slow machine. */
const clock: Clock = { ...systemClock, setTimeout: () => undefined };

/**
 * Answers each offer at `near` with a connection of its own. Opens a second connection to the same
 * node in the other realm, in the name of the dialer, and relays every byte between the two.
 */
async function putBetween(
  t: ExecutionContext,
  near: Signal,
  far: (nodeId: string) => Signal,
): Promise<void> {
  const { RTCPeerConnection } = await loadRtc();
  const peers = [0, 1].map(() => new RTCPeerConnection({ iceServers: [] }));
  const [a, b] = peers as [RtcPeerConnection, RtcPeerConnection];
  t.teardown(() => peers.forEach((peer) => void peer.close()));
  const channel = (peer: RtcPeerConnection) =>
    peer.createDataChannel('', { negotiated: true, id: 0, ordered: true });
  await near.listen(async (session) => {
    const other = await far(session.peer).open(near.nodeId, { timeout: 1_000 });
    const two = channel(b);
    let one: RtcDataChannel | undefined;
    const relay =
      (to: RtcDataChannel | undefined) =>
      ({ data }: { data: unknown }) => {
        if (to?.readyState === 'open') to.send(data);
        else to?.addEventListener('open', () => to.send(data));
      };
    two.addEventListener('message', (event) => relay(one)(event));
    session.attach({
      async message(message: any) {
        if (message.type === 'candidate') return a.addIceCandidate(message).catch(() => {});
        await a.setRemoteDescription(message);
        one = channel(a);
        one.addEventListener('message', relay(two));
        await a.setLocalDescription(await a.createAnswer());
        session.send({ type: 'answer', sdp: a.localDescription!.sdp });
      },
      closed: (error) => other.close(error),
    });
    other.attach({
      message: (message: any) =>
        message.type === 'candidate'
          ? void b.addIceCandidate(message).catch(() => {})
          : void b.setRemoteDescription(message),
      closed: (error) => session.close(error),
    });
    await b.setLocalDescription(await b.createOffer());
    other.send({ type: 'offer', sdp: withoutCandidates(b.localDescription!.sdp) });
  });
}
