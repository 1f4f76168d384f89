// Tests of resolving host names with the system's resolver.

import { isIP } from 'node:net';
import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { systemLookup } from './system-lookup.ts';

test('a name resolves to the addresses that the system has for it', async (t) => {
  const found = await systemLookup('localhost');
  t.true(
    found.length > 0 && found.every((ip) => ip.startsWith('127.') || ip === '::1'),
    found.join(),
  );
});

test('an IP address of either version resolves to itself', async (t) => {
  for (const ip of ['127.0.0.1', '203.0.113.7', '::1', '2001:db8::7'])
    t.deepEqual(await systemLookup(ip), [ip]);
});

test('a name without an address fails with host_not_found, and the error contains the name', async (t) => {
  // These can never be names, so no external name server is asked.
  for (const host of [`${'x'.repeat(64)}.example`, 'two words', '..']) {
    const error = (await t.throwsAsync(systemLookup(host), {
      instanceOf: TransportError,
      any: true,
    })) as TransportError;
    t.deepEqual([error.code, error.reason, error.target], ['unavailable', 'host_not_found', host]);
    t.true(error.message.startsWith(`systemLookup: ${host}: `), error.message);
    t.true(error.cause instanceof Error);
  }
});

test('many lookups at once get each their own answer', async (t) => {
  const hosts = Array.from({ length: 50 }, (_, i) => `127.0.0.${i + 1}`);
  t.deepEqual(
    await Promise.all(hosts.map(systemLookup)),
    hosts.map((host) => [host]),
  );
  const outcomes = await Promise.allSettled(
    ['localhost', 'two words', '127.0.0.1'].map(systemLookup),
  );
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.true(
    outcomes.every(
      (outcome) => outcome.status === 'rejected' || outcome.value.every((ip) => isIP(ip) > 0),
    ),
  );
});

test('an invalid name throws a TypeError that says so', async (t) => {
  for (const host of ['', 'a\0b', 7, undefined, null] as string[]) {
    await t.throwsAsync(systemLookup(host), {
      instanceOf: TypeError,
      message: /^systemLookup: host: must be the name of a host, got/,
    });
  }
});
