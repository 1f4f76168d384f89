// Tests of SRV records: ports, priorities, weights, and the addresses of their targets.

import type { ResolvedAddress, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import type { Answer } from 'dns-packet';
import { dnsFixture } from './testing/fixture.ts';

const NAME = '_rpc._tcp.orders.prod.svc.cluster.local';
const TARGET = `dns+srv:///${NAME}`;

const srv = (target: string, port: number, data: { priority?: number; weight?: number } = {}) =>
  ({ type: 'SRV', name: NAME, ttl: 30, data: { target, port, ...data } }) as const;
const a = (name: string, data: string): Answer => ({ type: 'A', name, ttl: 30, data });
const sorted = (report: unknown) =>
  [...(report as readonly ResolvedAddress[])].sort((x, y) => (x.address < y.address ? -1 : 1));

test('addresses come with the records: ports, priorities and weights; a host shares its weight', async (t) => {
  const { server, watch } = await dnsFixture(t);
  server.zones.set(`SRV ${NAME}`, {
    answers: [
      srv('A.orders', 7_000, { priority: 1, weight: 10 }),
      srv('b.orders', 7_001, { weight: 0 }),
    ],
    additionals: [
      a('a.orders', '10.0.0.1'),
      { type: 'AAAA', name: 'a.orders', ttl: 30, data: 'fd00::1' },
      a('b.orders', '10.0.0.2'),
      a('evil.orders', '10.6.6.6'),
    ],
  });
  t.deepEqual(sorted(await watch(TARGET).report(1)), [
    { address: '10.0.0.1:7000', weight: 5, priority: 1 },
    { address: '10.0.0.2:7001', weight: 0, priority: 0 },
    { address: '[fd00::1]:7000', weight: 5, priority: 1 },
  ]);
  t.deepEqual(server.asked, [`udp SRV ${NAME}`]);
});

test('hosts without additional records are looked up; one that is not found is left out and asked for soon', async (t) => {
  const { server, clock, watch } = await dnsFixture(t, { family: 'ipv4', scheme: 'tcp' });
  server.zones.set(`SRV ${NAME}`, { answers: [srv('a.orders', 7_000), srv('gone.orders', 7_000)] });
  server.hosts('a.orders', ['10.0.0.1'], 60);
  const watching = watch(TARGET);
  t.deepEqual(await watching.addresses(1), ['tcp://10.0.0.1:7000']);
  server.hosts('gone.orders', ['10.0.0.2'], 60);
  clock.advance(1_100);
  t.deepEqual(await watching.addresses(2), ['tcp://10.0.0.1:7000', 'tcp://10.0.0.2:7000']);
  t.true(clock.nextDue! - clock.now() >= 30_000, 'now the TTL of the records counts');
});

test('if no host is found, the lookup has failed', async (t) => {
  const { server, watch } = await dnsFixture(t);
  server.zones.set(`SRV ${NAME}`, { answers: [srv('gone.orders', 7_000)] });
  const error = (await watch(TARGET).report(1)) as TransportError;
  t.is(error.reason, 'host_not_found');
  t.regex(error.message, /gone\.orders/);
});

test("a target '.' says that there is no instance; a missing name has failed", async (t) => {
  const { server, watch } = await dnsFixture(t);
  server.zones.set(`SRV ${NAME}`, { answers: [srv('.', 0)] });
  t.deepEqual(await watch(TARGET).report(1), []);
  const error = (await watch('dns+srv:///_rpc._tcp.nobody').report(1)) as TransportError;
  t.is(error.reason, 'host_not_found');
});

test('a change of a weight is reported', async (t) => {
  const { server, clock, watch } = await dnsFixture(t);
  const zone = (weight: number) => ({
    answers: [srv('a.orders', 7_000, { weight })],
    additionals: [a('a.orders', '10.0.0.1')],
  });
  server.zones.set(`SRV ${NAME}`, zone(1));
  const watching = watch(TARGET);
  await watching.report(1);
  server.zones.set(`SRV ${NAME}`, zone(9));
  clock.advance(33_000);
  t.is(sorted(await watching.report(2))[0]!.weight, 9);
});

test('of many records 64 are used', async (t) => {
  const { server, watch } = await dnsFixture(t, { family: 'ipv4' });
  const hosts = Array.from({ length: 100 }, (_, i) => `h${i}.orders`);
  server.zones.set(`SRV ${NAME}`, {
    cut: true,
    answers: hosts.map((host) => srv(host, 7_000)),
    additionals: hosts.map((host, i) => a(host, `10.0.0.${i}`)),
  });
  t.is((await watch(TARGET).addresses(1)).length, 64);
  t.deepEqual(server.asked, [`udp SRV ${NAME}`, `tcp SRV ${NAME}`]);
});
