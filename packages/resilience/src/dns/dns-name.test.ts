// Tests of the targets that DNS resolves.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { isDnsTarget, parseDnsTarget } from './dns-name.ts';

test('only the two schemes are DNS targets', (t) => {
  for (const target of ['dns:///a:1', 'DNS:///a:1', 'dns+srv:///_a._tcp.b', 'dns://wrong'])
    t.true(isDnsTarget(target), target);
  for (const target of ['a:1', 'dns:7000', 'tcp://a:1', 'service:dns', 'dnsx:///a:1'])
    t.false(isDnsTarget(target), target);
});

test('a host has a port; a name is absolute with or without a dot at its end', (t) => {
  const host = 'orders.prod.svc.cluster.local';
  for (const target of [
    `dns:///${host}:7000`,
    `dns:///${host}.:7000`,
    `DNS:///Orders.prod.svc.cluster.local:7000`,
  ])
    t.deepEqual(parseDnsTarget(target), { type: 'host', host, port: 7_000 });
  t.deepEqual(parseDnsTarget('dns:///orders', 7_001), {
    type: 'host',
    host: 'orders',
    port: 7_001,
  });
  t.deepEqual(parseDnsTarget('dns+srv:///_rpc._tcp.Orders.'), {
    type: 'srv',
    name: '_rpc._tcp.orders',
  });
});

test('a wrong target is invalid_argument and shows the right form', (t) => {
  const wrong: [string, RegExp][] = [
    ['dns:///orders', /no port/],
    ['dns:///orders:0', /no port/],
    ['dns:///10.0.0.1:7000', /IP addresses are dialed without dns:/],
    ['dns:///[::1]:7000', /no host name/],
    ['dns:///a..b:7000', /no host name/],
    ['dns:///a b:7000', /no host name/],
    [`dns:///${'a'.repeat(64)}:1`, /no host name/],
    ['dns://orders:7000', /no third '\/'/],
    ['dns://10.0.0.1/orders:7000', /option 'servers'/],
    ['dns+srv:///', /no name of an SRV record/],
    ['dns+srv:///_rpc._tcp.a:7000', /no name of an SRV record/],
  ];
  for (const [target, message] of wrong) {
    const error = t.throws<TransportError>(() => parseDnsTarget(target), {
      instanceOf: TransportError,
      message,
    });
    t.deepEqual([error?.code, error?.target, error?.sent], ['invalid_argument', target, false]);
    t.regex(error!.message, /dns:\/\/\/host:port/);
  }
});
