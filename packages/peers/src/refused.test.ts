// Tests of incoming connections that fail: each is reported once, with its reason.

import { connect } from 'node:net';
import { createAuthority, createIdentity } from '@trunkline/security';
import { passive } from './testing/cluster.ts';
import { type Carrier, carriers, overNoise, overTls } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { emitted, type Given, type RealFixture, test } from './testing/real/real-fixture.ts';

const noise = carriers.find(({ name }) => name === 'noise')!;
const tls = carriers.find(({ name }) => name === 'TLS')!;
const plain = carriers.find(({ name }) => name === 'TCP')!;
const webSocket = carriers.find(({ name }) => name === 'WebSocket')!;

/** Attempts a connection; rejects if it is refused. */
type Attempt = (fixture: RealFixture, address: string) => Promise<unknown>;
/** A title, the carrier of the node, the attempt, and the reasons of the event and of its error. */
type Case = [string, Carrier, Attempt, string, Partial<Given>?];

/** Dials the address over a carrier. */
const over =
  (carrier: Carrier, options?: Partial<Given>): Attempt =>
  async (fixture, address) =>
    fixture.guest(carrier.make(await credentials()), options).dial(address);

const strangers = createAuthority();
const foreignCertificate: Attempt = async (fixture, address) => {
  const identity = createIdentity();
  const { cert, issue } = await strangers;
  const { tls, ...mine } = await credentials();
  const ca = [cert, tls.ca].flat() as string[];
  const foreign = { key: identity.key, cert: await issue(identity), ca };
  return fixture.guest(overTls({ ...mine, tls: foreign })).dial(address);
};

const noiseForNobody: Carrier = { ...noise, make: (keys) => overNoise(keys, []) };
const admit = () => {
  throw new Error('not today');
};
const oneMore: Attempt = async (fixture, address) => {
  await over(plain)(fixture, address);
  return over(plain)(fixture, address);
};
const oneConnection = { limits: { connections: 1 } };
const wrongNetwork = 'incompatible: wrong_network';
const wrongPreamble = 'incompatible: wrong_preamble';

const cases: readonly Case[] = [
  ...carriers.map((carrier): Case => {
    const elsewhere = over(carrier, { network: 'another' });
    return [`another network, over ${carrier.name}`, carrier, elsewhere, wrongNetwork];
  }),
  ['a certificate of another authority', tls, foreignCertificate, 'unproven: bad_certificate'],
  ['plain TCP against TLS', tls, over(plain), wrongPreamble],
  ['plain TCP against noise', noise, over(plain), wrongPreamble],
  ['noise against plain TCP', plain, over(noise), wrongPreamble],
  ['a node that noise does not allow', noiseForNobody, over(noise), 'denied: denied'],
  ['HTTP against plain TCP', plain, raw('GET / HTTP/1.1\r\n\r\n'), wrongPreamble],
  ['no HTTP against plain WebSocket', webSocket, raw('TRKL no HTTP at all\r\n\r\n'), wrongPreamble],
  ['a connection that ends before its hello', plain, raw(''), 'failed: reset'],
  ['a node that the option admit refuses', plain, over(plain), 'filtered: refused', { admit }],
  ['one connection more than limits.connections', plain, oneMore, 'full: full', oneConnection],
];

for (const [title, carrier, attempt, expected, options = {}] of cases) {
  test(`a refused node is reported once: ${title}`, async (t, fixture) => {
    const a = await fixture.node('a', {
      transport: options,
      peers: passive,
      make: carrier.make(await credentials()),
    });
    await t.throwsAsync(fixture.settle(attempt(fixture, a.address)));
    await fixture.emitted(a, 'rejected', 1, 10_000);
    await fixture.run(1_000);
    const [event, ...others] = emitted(a, 'rejected');
    t.is(others.length, 0);
    t.is(event!.direction, 'in');
    t.is(`${event!.reason}: ${event!.error.reason}`, expected);
    t.is(typeof event!.endpoint, 'string');
    t.deepEqual([a.peers.list(), emitted(a, 'up'), emitted(a, 'down')], [[], [], []]);
  });
}

test('a refused node whose hello was read is reported with its id and its advertised address', async (t, fixture) => {
  const a = await fixture.node('a', { peers: { ...passive, maxInbound: 0 } });
  const b = await fixture.node('b', { peers: { ...passive, persistent: [a.address] } });
  const [event] = await fixture.emitted(a, 'rejected');
  const { reason, direction, nodeId, addr, endpoint, remote } = event!;
  t.deepEqual([reason, direction, endpoint], ['full', 'in', remote!.endpoint]);
  t.deepEqual([nodeId, addr], [b.nodeId, b.address]);
});

for (const carrier of carriers.filter(({ proves }) => proves)) {
  test(`over ${carrier.name}, of two live nodes with one key the replaced one is refused for 30 s, and reported once`, async (t, fixture) => {
    const { a, older, newer, first } = await nodesWithOneKey(fixture, carrier);
    await fixture.emitted(a, 'down');
    const second = a.peers.get(newer.nodeId)!.instance;
    const [twin] = await fixture.emitted(a, 'rejected');
    t.like(twin, { reason: 'twin', direction: 'in', nodeId: older.nodeId });
    const { message, reason } = twin!.error;
    t.is(reason, 'duplicate');
    t.regex(message, /two running nodes have the same key/);
    t.true(message.includes(first), message);
    const counts = () => [emitted(a, 'rejected').length, emitted(a, 'down').length];
    await fixture.run(27_000);
    t.deepEqual([...counts(), a.peers.get(newer.nodeId)!.instance], [1, 1, second]);
    t.true(emitted(older, 'rejected').length > 10, 'it keeps dialing, and gets the reason');
    t.regex(emitted(older, 'rejected')[0]!.error.message, /two running nodes have the same key/);
    t.is(await fixture.settle(a.transport.send(`node:${newer.nodeId}`, 'say', 'hi')), 'newer: hi');
    // After that, it is judged like any other instance, and the other instance becomes the twin.
    await fixture.emitted(a, 'down', 2, 10_000);
    t.is(a.peers.get(older.nodeId)!.instance, first);
    const [, later] = await fixture.emitted(a, 'rejected', 2);
    await fixture.run(20_000);
    t.deepEqual([later!.reason, ...counts()], ['twin', 2, 2]);
  });

  test(`over ${carrier.name}, a replaced node may reconnect once the other is gone`, async (_t, fixture) => {
    const { a, older, newer, first } = await nodesWithOneKey(fixture, carrier);
    await fixture.emitted(a, 'rejected');
    await fixture.settle(newer.close());
    await fixture.until(
      'the first node is a peer again',
      () => a.peers.get(older.nodeId)?.instance === first,
      5_000,
    );
  });
}

/** Starts a node, and two others with the same key, one after the other, that dial it. */
async function nodesWithOneKey(fixture: RealFixture, carrier: Carrier) {
  const theirs = await credentials();
  const a = await fixture.node('a', { peers: passive, make: carrier.make(await credentials()) });
  const persistent = {
    ...passive,
    persistent: [a.address],
    reconnect: { initialBackoff: 1_000, maxBackoff: 1_000 },
  };
  const older = await fixture.node('older', { peers: persistent, make: carrier.make(theirs) });
  await fixture.until('the first node is a peer', () => a.peers.get(older.nodeId) !== undefined);
  const first = a.peers.get(older.nodeId)!.instance;
  const newer = await fixture.node('newer', { peers: persistent, make: carrier.make(theirs) });
  return { a, older, newer, first };
}

/** Sends text over bare TCP and ends; rejects when the other end has closed. */
function raw(text: string): Attempt {
  return (_, address) =>
    new Promise((_, reject) => {
      const { hostname, port } = new URL(address);
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => {}).on('close', () => reject(new Error('the other end has closed')));
      socket.end(text);
      socket.resume();
    });
}
