// Tests of the table of services.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { readServices } from '../options.ts';
import { ServiceDirectory, serviceOf } from './services.ts';

const many = (length: number) => Array.from({ length }, (_, i) => `s${i}`);

test('a list replaces the one before', (t) => {
  const directory = new ServiceDirectory(createManualClock());
  directory.set('a', ['orders', 'stock', 'orders']);
  t.deepEqual(directory.of('a'), ['orders', 'stock']);
  directory.set('b', ['orders']);
  t.deepEqual(directory.nodes('orders'), ['a', 'b']);
  directory.set('a', ['stock']);
  directory.set('c', []);
  t.deepEqual(directory.nodes('orders'), ['b']);
  directory.set('b', []);
  t.deepEqual(directory.nodes('orders'), []);
  t.deepEqual(directory.of('b'), []);
});

test('of what a peer says, wrong names and those beyond the 64th are ignored', (t) => {
  const directory = new ServiceDirectory(createManualClock());
  directory.set('a', ['', '7000', 'a b', 'x'.repeat(64), 'good', '-no', 'node\n']);
  t.deepEqual(directory.of('a'), ['good']);
  directory.set('a', many(100));
  t.is(directory.of('a').length, 64);
});

test('a target of a service has a name, never a port', (t) => {
  t.is(serviceOf('service:orders'), 'orders');
  t.is(serviceOf('service:prod.Orders_v2-a'), 'prod.Orders_v2-a');
  for (const target of 'service:7000 service: service://orders services:orders orders'.split(' '))
    t.is(serviceOf(target), undefined, target);
});

test('services that the user gives are checked', (t) => {
  t.deepEqual(readServices(['b', 'a', 'b'], 'x'), ['a', 'b']);
  t.throws(() => readServices(['a', '7'], 'createPeers: services'), {
    instanceOf: TypeError,
    message: /^createPeers: services\[1\]: must be 1 to 63 letters.*got "7"$/,
  });
  t.throws(() => readServices(many(65), 'x'), { instanceOf: TypeError, message: /at most 64/ });
});
