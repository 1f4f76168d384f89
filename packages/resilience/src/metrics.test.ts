// Tests that the parts of this package fit the sources of metrics.

import { createMetrics } from '@trunkline/telemetry';
import { type ServerCall, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { resume } from './index.resumption.ts';
import {
  createAdmission,
  createBalancer,
  createCircuitBreaker,
  createConcurrencyLimit,
  createRetries,
  createStaticResolver,
} from './index.ts';
import { fixture, next, upTo } from './resumption/testing/feed.ts';
import { FakeServer, fakeCall, reset } from './testing/fake-call.ts';

test('metrics count what a balancer, retries, a breaker and limits do, also after their transport', async (t) => {
  const server = new FakeServer();
  const { clock } = server;
  const resolve = createStaticResolver({ shop: ['a:1', 'b:1'] });
  const balancer = createBalancer({ resolve, clock, random: () => 0 });
  const retries = createRetries({ methods: { '*': { idempotent: true } }, clock });
  const breaker = createCircuitBreaker({ clock, minCalls: 1, random: () => 0 });
  const concurrency = createConcurrencyLimit({ clock });
  const admission = createAdmission({ clock, limit: { initial: 1, min: 1, max: 1 } });
  const metrics = createMetrics();
  const parts = { balancer, retries, breaker, concurrency, admission };
  const stop = metrics.watch(parts);

  const call = server.send(
    (last) =>
      retries.interceptor(concurrency.interceptor(balancer.interceptor(breaker.interceptor(last)))),
    fakeCall({ target: 'shop' }),
  );
  await server.advance(0);
  await server.last.fail(reset());
  await server.advance(1_000);
  await server.last.answer('done');
  t.is(await call, 'done');
  const signal = new AbortController().signal;
  const arrival = { kind: 'unary', protocol: 'p', method: 'm', metadata: {}, signal } as never;
  const handle = admission.interceptor(() => new Promise(() => {})) as (
    call: ServerCall,
  ) => unknown;
  handle(arrival);
  handle(arrival);

  const values = () =>
    Object.fromEntries(
      metrics
        .collect()
        .flatMap(({ name, points }) =>
          points.map(({ attributes, value }) => [
            [name.replace('trunkline.', ''), ...Object.values(attributes)].join(' '),
            value,
          ]),
        )
        .filter(([, value]) => value !== 0),
    );
  t.deepEqual(values(), {
    'balancer.address.count shop up': 1,
    'balancer.address.count shop probing': 1,
    'balancer.address.events added': 2,
    'balancer.address.events down': 1,
    'retry.attempts retry': 1,
    'circuit.count closed': 1,
    'circuit.count open': 1,
    'circuit.opened': 1,
    'admission.limit server': 1,
    'admission.limit client': concurrency.snapshot().limit,
    'admission.active server': 1,
    'admission.waiting server': 1,
    'admission.calls server admitted': 1,
  });
  stop();
  t.deepEqual(values(), {
    'balancer.address.events added': 2,
    'balancer.address.events down': 1,
    'retry.attempts retry': 1,
    'circuit.opened': 1,
    'admission.calls server admitted': 1,
  });
  balancer.close();
});

test('a circuit counts the calls that it refuses', async (t) => {
  const server = new FakeServer();
  const breaker = createCircuitBreaker({ clock: server.clock, minCalls: 1 });
  const send = () => server.send(breaker.interceptor, fakeCall({ target: 'a:1' }));
  const failed = send();
  await server.last.fail(reset());
  await t.throwsAsync(failed);
  await t.throwsAsync(send(), { instanceOf: TransportError, message: /circuit of 'a:1' is open/ });
  t.deepEqual([breaker.opened, breaker.refused], [1, 1]);
});

test('streams that were opened and resumed are counted', async (t) => {
  const { client, count, cut } = await fixture(t, upTo);
  const metrics = createMetrics();
  metrics.watch({ resumable: count });
  const items = await resume(client, 'inmem://server', 'count', 1e6);
  t.is(await next(items), 0);
  cut();
  while (count.counts.resumed === 0) await next(items);
  const points = (name: string) =>
    metrics.collect().find((metric) => metric.name === `trunkline.resumption.${name}`)!.points;
  t.deepEqual(
    points('calls').flatMap(({ attributes, value }) =>
      value > 0 ? [[attributes['outcome'], value]] : [],
    ),
    [
      ['opened', 1],
      ['resumed', 1],
    ],
  );
  t.is(points('stream.count')[0]?.value, 1);
  await items.return?.();
});
