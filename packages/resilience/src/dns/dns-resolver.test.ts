// Tests of the resolver with a DNS server of the test: records, expiry, failures and bounds.

import { Buffer } from 'node:buffer';
import type { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { decode, encode, type Packet } from 'dns-packet';
import { createDnsResolver } from './dns-resolver.ts';
import { answerTo, DnsServer } from './testing/dns-server.ts';
import { dnsFixture } from './testing/fixture.ts';
import { Watching } from './testing/watching.ts';

const HOST = 'orders.prod.svc.cluster.local';
const TARGET = `dns:///${HOST}:7000`;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const code = (report: unknown) => [
  (report as TransportError).code,
  (report as TransportError).reason,
];

test('a host has the addresses of its A and AAAA records, with the port', async (t) => {
  const { server, watch } = await dnsFixture(t);
  server.hosts(HOST, ['10.0.0.1', '10.0.0.2']);
  server.zones.set(`AAAA ${HOST}`, {
    answers: [{ type: 'AAAA', name: HOST, ttl: 5, data: 'fd00::7' }],
  });
  t.deepEqual(await watch(TARGET).addresses(1), [
    '10.0.0.1:7000',
    '10.0.0.2:7000',
    '[fd00::7]:7000',
  ]);
  t.deepEqual([...server.asked].sort(), [`udp A ${HOST}`, `udp AAAA ${HOST}`]);
});

test('the family restricts the records, and the scheme is put before the addresses', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4', scheme: 'tcp', port: 7_001 });
  server.hosts(HOST, ['10.0.0.1']);
  t.deepEqual(await watch(`dns:///${HOST}`).addresses(1), ['tcp://10.0.0.1:7001']);
  t.deepEqual(server.asked, [`udp A ${HOST}`]);
});

test('CNAME records are followed, and records of other names are ignored', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  server.zones.set(`A ${HOST}`, {
    answers: [
      { type: 'CNAME', name: HOST, ttl: 9, data: 'B.example' },
      { type: 'CNAME', name: 'b.example', ttl: 9, data: 'c.example' },
      { type: 'A', name: 'c.example', ttl: 9, data: '10.0.0.3' },
      { type: 'A', name: 'evil.example', ttl: 9, data: '10.6.6.6' },
    ],
  });
  t.deepEqual(await watch(TARGET).addresses(1), ['10.0.0.3:7000']);
});

test('a name is looked up again when its records expire, and only changes are reported', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4' });
  server.hosts(HOST, ['10.0.0.1'], 5);
  const watching = watch(TARGET);
  await watching.report(1);
  clock.advance(4_999);
  t.is(server.asked.length, 1);
  clock.advance(501);
  await server.questions(2);
  // The same records again: no report. The next lookup finds another one.
  while (clock.timers !== 1) await turn();
  server.hosts(HOST, ['10.0.0.1', '10.0.0.2'], 5);
  clock.advance(5_500);
  t.deepEqual(await watching.addresses(2), ['10.0.0.1:7000', '10.0.0.2:7000']);
  t.is(watching.reports.length, 2);
});

test('the TTL is clamped to minTtl and maxTtl', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, {
    family: 'ipv4',
    minTtl: 2_000,
    maxTtl: 10_000,
  });
  server.hosts('short', ['10.0.0.1'], 0);
  server.hosts('long', ['10.0.0.1'], 86_400);
  const start = clock.now();
  for (const [host, ttl] of [
    ['short', 2_000],
    ['long', 10_000],
  ] as const) {
    const watching = watch(`dns:///${host}:1`);
    await watching.report(1);
    const wait = clock.nextDue! - start;
    t.true(wait >= ttl && wait <= ttl * 1.1, `${host}: ${wait}`);
    watching.stop();
  }
});

test('a name without records has no instance now; one that does not exist has failed', async (t) => {
  const { server, watch } = await dnsFixture(t);
  server.zones.set(`A ${HOST}`, {}).set(`AAAA ${HOST}`, {});
  t.deepEqual(await watch(TARGET).report(1), []);
  const error = (await watch('dns:///nobody:1').report(1)) as TransportError;
  t.deepEqual(code(error), ['unavailable', 'host_not_found']);
  t.is(error.message, "DNS: the name 'nobody' does not exist");
});

test('failed lookups are repeated after 1, 2, 4 s and so on, at most 30 s', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4', attempts: 1 });
  server.zones.set(`A ${HOST}`, { code: 2 });
  const watching = watch(TARGET);
  for (const [at, wait] of [1, 2, 4, 8, 16, 30, 30].entries()) {
    const error = (await watching.report(at + 1)) as TransportError;
    t.deepEqual(code(error), ['unavailable', 'host_not_found']);
    t.regex(error.message, /cannot look up A of 'orders\..*127\.0\.0\.1#\d+ answered SERVFAIL/);
    const until = clock.nextDue! - clock.now();
    t.true(until >= wait * 1_000 && until <= wait * 1_100, String(until));
    clock.advance(until);
  }
  await watching.report(8);
  server.hosts(HOST, ['10.0.0.1']);
  clock.advance(33_000);
  t.deepEqual(await watching.addresses(9), ['10.0.0.1:7000']);
});

test('after a failure, the same addresses are reported again', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4', attempts: 1 });
  server.hosts(HOST, ['10.0.0.1'], 5);
  const watching = watch(TARGET);
  await watching.report(1);
  server.zones.set(`A ${HOST}`, { code: 2 });
  clock.advance(5_500);
  t.is(((await watching.report(2)) as TransportError).reason, 'host_not_found');
  server.hosts(HOST, ['10.0.0.1'], 5);
  clock.advance(1_100);
  t.deepEqual(await watching.addresses(3), ['10.0.0.1:7000']);
});

test('a server that fails or is silent is followed by the next one', async (t) => {
  const other = await DnsServer.start();
  t.teardown(() => other.close());
  const { server, clock } = await dnsFixture(t);
  const resolver = createDnsResolver({
    servers: [server.address, other.address],
    family: 'ipv4',
    clock,
  });
  server.zones.set(`A ${HOST}`, { silent: true }).set('A refused', { code: 5 });
  other.hosts(HOST, ['10.0.0.1']);
  other.hosts('refused', ['10.0.0.2']);
  const refused = new Watching(resolver, 'dns:///refused:1');
  t.deepEqual(await refused.addresses(1), ['10.0.0.2:1']);
  refused.stop();
  const late = new Watching(resolver, TARGET);
  await server.questions(2);
  t.is(other.asked.length, 1);
  clock.advance(2_000);
  t.deepEqual(await late.addresses(1), ['10.0.0.1:7000']);
  late.stop();
});

test('a server that never answers fails the lookup after its attempts', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4', timeout: 500 });
  server.zones.set(`A ${HOST}`, { silent: true });
  const watching = watch(TARGET);
  await server.questions(1);
  clock.advance(500);
  await server.questions(2);
  clock.advance(500);
  const error = (await watching.report(1)) as TransportError;
  t.deepEqual(code(error), ['unavailable', 'host_not_found']);
  t.regex(error.message, /did not answer within 500 ms/);
});

test('a port without a server fails the lookup', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  await server.close();
  t.is(((await watch(TARGET).report(1)) as TransportError).reason, 'host_not_found');
});

test('a server that the system refuses to connect to fails the lookup', async (t) => {
  const servers = ['fe80::1', '255.255.255.255'];
  const { watch } = await dnsFixture(t, { family: 'ipv4', servers });
  t.is(((await watch(TARGET).report(1)) as TransportError).reason, 'host_not_found');
});

test('an answer that was cut off is asked for again over TCP', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  const ips = Array.from({ length: 200 }, (_, i) => `10.0.1.${i}`);
  server.hosts(HOST, ips);
  server.zones.set(`A ${HOST}`, { ...server.zones.get(`A ${HOST}`)!, cut: true });
  t.is((await watch(TARGET).addresses(1)).length, 200);
  t.deepEqual(server.asked, [`udp A ${HOST}`, `tcp A ${HOST}`]);
});

test('a server that does not know EDNS is asked without it, and remembered', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4' });
  server.isOld = true;
  server.hosts(HOST, ['10.0.0.1'], 5);
  const watching = watch(TARGET);
  t.deepEqual(await watching.addresses(1), ['10.0.0.1:7000']);
  t.is(server.asked.length, 2);
  server.hosts(HOST, ['10.0.0.2'], 5);
  clock.advance(5_500);
  t.deepEqual(await watching.addresses(2), ['10.0.0.2:7000']);
  t.is(server.asked.length, 3);
});

test('packets that do not answer the question are ignored', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  const forged = { answers: [{ type: 'A', name: HOST, ttl: 5, data: '10.6.6.6' }] } as const;
  server.zones.set(`A ${HOST}`, {
    answers: [{ type: 'A', name: HOST, ttl: 5, data: '10.0.0.1' }],
    before: (query) => [
      new Uint8Array([1, 2, 3]),
      encode(answerTo({ ...query, id: query.id! ^ 1 }, forged)),
      encode(answerTo({ ...query, questions: [{ type: 'A', name: 'other' }] }, forged)),
      encode(answerTo({ ...query, questions: [] }, forged)),
      encode({ ...query, answers: [...forged.answers] }),
    ],
  });
  t.deepEqual(await watch(TARGET).addresses(1), ['10.0.0.1:7000']);
});

test('resolveNow looks a name up again, but not twice within minTtl nor during a back-off', async (t) => {
  const { server, clock, resolver, watch } = await dnsFixture(t, { family: 'ipv4', attempts: 1 });
  server.hosts(HOST, ['10.0.0.1'], 60);
  const watching = watch(TARGET);
  await watching.report(1);
  server.hosts(HOST, ['10.0.0.2'], 60);
  for (let i = 0; i < 10; i++) resolver.resolveNow!(TARGET);
  clock.advance(999);
  t.is(server.asked.length, 1);
  clock.advance(1);
  t.deepEqual(await watching.addresses(2), ['10.0.0.2:7000']);
  server.zones.set(`A ${HOST}`, { code: 2 });
  resolver.resolveNow!(TARGET);
  clock.advance(1_000);
  await watching.report(3);
  const due = clock.nextDue!;
  resolver.resolveNow!(TARGET);
  t.is(clock.nextDue, due);
  resolver.resolveNow!('dns:///unwatched:1');
});

test('the last watcher takes sockets and timers with it, and a valid result is kept', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4' });
  server.hosts(HOST, ['10.0.0.1'], 5);
  const first = watch(TARGET);
  await first.report(1);
  t.is(clock.timers, 1);
  first.stop();
  first.stop();
  t.is(clock.timers, 0);
  clock.advance(1_000);
  const second = watch(TARGET);
  t.deepEqual(second.reports, [], 'it is told after watch has returned');
  await second.report(1);
  t.is(server.asked.length, 1);
  second.stop();
  clock.advance(10_000);
  server.hosts(HOST, ['10.0.0.2'], 5);
  const third = watch(TARGET);
  t.deepEqual(await third.addresses(1), ['10.0.0.2:7000']);
  third.stop();
  const fourth = watch('dns:///silent:1');
  server.zones.set('A silent', { silent: true });
  await server.questions(3);
  fourth.stop();
  await turn();
  t.is(clock.timers, 0);
});

test('two watchers of a name share its lookups', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  server.hosts(HOST, ['10.0.0.1'], 5);
  const [one, two] = [watch(TARGET), watch(TARGET)];
  t.deepEqual(await one.addresses(1), await two.addresses(1));
  t.is(server.asked.length, 1);
  one.stop();
  t.deepEqual(await watch(TARGET).addresses(1), ['10.0.0.1:7000']);
  t.is(server.asked.length, 1);
});

test('names in memory are bounded: those that nobody watches make room', async (t) => {
  const clock = createManualClock();
  const resolver = createDnsResolver({ servers: ['127.0.0.1:9'], family: 'ipv4', clock });
  const observer = { resolved() {}, failed() {} };
  const stops = Array.from({ length: 1_024 }, (_, i) => resolver.watch(`dns:///h${i}:1`, observer));
  t.throws(() => resolver.watch('dns:///one-more:1', observer), {
    message: /1024 names are watched already/,
  });
  stops[0]!();
  t.notThrows(() => resolver.watch('dns:///one-more:1', observer)());
  for (const stop of stops) stop();
  await turn();
  t.is(clock.timers, 0);
});

test('wrong options are a TypeError that names them', (t) => {
  const wrong: [object, RegExp][] = [
    [{ servers: [] }, /servers: must be/],
    [{ servers: ['dns.example'] }, /servers: must be/],
    [{ servers: ['10.0.0.1:0'] }, /servers: must be/],
    [{ scheme: 'tcp://' }, /scheme: must be/],
    [{ port: 0 }, /port: must be/],
    [{ family: 'v4' }, /family: must be/],
    [{ minTtl: 0 }, /minTtl: must be/],
    [{ attempts: 11 }, /attempts: must be/],
    [{ clock: {} }, /clock: must be/],
    [{ resolver: 1 }, /createDnsResolver: .*resolver/],
  ];
  for (const [options, message] of wrong)
    t.throws(() => createDnsResolver(options as never), { instanceOf: TypeError, message });
  for (const server of ['10.0.0.1', '10.0.0.1:5353', '::1', '[::1]:53'])
    t.notThrows(() => createDnsResolver({ servers: [server] }));
  t.notThrows(() => createDnsResolver());
});

test('queries and answers can be carried by a function of the user', async (t) => {
  const carried: [string, unknown][] = [];
  let reply: (query: Packet) => Packet = (query) =>
    answerTo(query, { answers: [{ type: 'A', name: 'orders', ttl: 5, data: '10.0.0.7' }] });
  const { clock, watch } = await dnsFixture(t, {
    servers: ['10.0.0.53', '[fd00::1]:5353'],
    family: 'ipv4',
    exchange: async (server, query) => {
      const packet = decode(Buffer.from(query));
      carried.push([server, packet.questions![0]!.name]);
      return encode(reply(packet));
    },
  });
  const watching = watch('dns:///orders:7000');
  t.deepEqual(await watching.report(1), [{ address: '10.0.0.7:7000' }]);
  t.deepEqual(carried, [['10.0.0.53:53', 'orders']]);
  // An answer to another question is ignored, and the next server is asked.
  reply = (query) => ({ ...answerTo(query, {}), id: (query.id! + 1) % 65_536 });
  clock.advance(6_000);
  const error = (await watching.report(2)) as TransportError;
  t.is(error.reason, 'host_not_found');
  t.regex(error.message, /fd00::1#5353: the server sent another answer/);
  t.is(carried.length, 5);
  t.throws(() => createDnsResolver({ exchange: 'https' as never }), {
    instanceOf: TypeError,
    message: /exchange/,
  });
});
