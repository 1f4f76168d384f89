// Tests of the network of this machine: interfaces, the system's resolver, and fixed lookups.

import { isIP } from 'node:net';
import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { fixedLookup, machine } from './machine.ts';

const { lookup } = machine;

test('a name resolves to the addresses that the system has for it', async (t) => {
  const found = await lookup('localhost');
  t.true(
    found.length > 0 && found.every((ip) => ip.startsWith('127.') || ip === '::1'),
    found.join(),
  );
});

test('an IP address of either version resolves to itself', async (t) => {
  for (const ip of ['127.0.0.1', '203.0.113.7', '::1', '2001:db8::7'])
    t.deepEqual(await lookup(ip), [ip]);
});

test('a name without an address fails with host_not_found, and the error contains the name', async (t) => {
  // These can never be names, so no external name server is asked.
  for (const host of [`${'x'.repeat(64)}.example`, 'two words', '..']) {
    const error = (await t.throwsAsync(lookup(host), {
      instanceOf: TransportError,
      any: true,
    })) as TransportError;
    t.deepEqual([error.code, error.reason, error.target], ['unavailable', 'host_not_found', host]);
    t.true(error.message.startsWith(`Cannot look up ${host}: `), error.message);
    t.true(error.cause instanceof Error);
  }
});

test('many lookups at once get each their own answer', async (t) => {
  const hosts = Array.from({ length: 50 }, (_, i) => `127.0.0.${i + 1}`);
  const found = await Promise.all(hosts.map(lookup));
  for (const [i, host] of hosts.entries()) t.deepEqual(found[i], [host]);
  const outcomes = await Promise.allSettled(['localhost', 'two words', '127.0.0.1'].map(lookup));
  t.deepEqual(pluck(outcomes, 'status'), ['fulfilled', 'rejected', 'fulfilled']);
  t.true(
    outcomes.every(
      (outcome) => outcome.status === 'rejected' || outcome.value.every((ip) => isIP(ip) > 0),
    ),
  );
});

test('the interfaces of this machine have IP addresses, loopback among them', (t) => {
  const addresses = machine.addresses();
  t.true(addresses.every((address) => isIP(address) > 0));
  t.true(addresses.some((address) => address === '127.0.0.1' || address === '::1'));
});

test('a fixed lookup finds its addresses for each name, all or the first', (t) => {
  t.is(fixedLookup(undefined), undefined);
  const fixed = fixedLookup(['::1', '127.0.0.1'])!;
  const answers: unknown[] = [];
  fixed('x.example', { all: true }, (...answer) => answers.push(answer));
  fixed('x.example', {}, (...answer) => answers.push(answer));
  t.deepEqual(answers, [
    [
      null,
      [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ],
    ],
    [null, '::1', 6],
  ]);
});
