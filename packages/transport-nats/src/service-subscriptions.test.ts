// Tests the subscriptions of a service on a NATS connection of a test.

import type { NatsConnection } from '@nats-io/nats-core';
import type { ServiceControl } from '@trunkline/transport-core/internal';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { ServiceSubscriptions } from './service-subscriptions.ts';

test('a subscription that cannot be renewed while the connection drains is tried again', async (t) => {
  const clock = createManualClock();
  const failures: string[] = [];
  let again = 0;
  let isDraining = false;
  let refuse: (error: Error) => void = () => {};
  const connection = {
    async *status() {},
    isClosed: () => false,
    getServer: () => 'a server',
    flush: async () => {},
    subscribe(_subject: string, { callback }: { callback: (error: Error | null) => void }) {
      if (isDraining) throw new Error('draining');
      refuse = callback;
      return { unsubscribe() {} };
    },
  } as unknown as NatsConnection;
  const control = {
    clock,
    listenFailed: (_service: object, error: Error) => void failures.push(error.message),
    listensAgain: () => void again++,
  } as unknown as ServiceControl;
  new ServiceSubscriptions(connection, control).add('a.subject', undefined, () => {});
  refuse(new Error('revoked'));
  isDraining = true;
  clock.advance(5);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(failures.length, 2);
  t.regex(failures[1]!, /draining/);
  isDraining = false;
  clock.advance(10);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(again, 1);
});

test('drain ends when the connection closes before the server has answered', async (t) => {
  const connection = {
    async *status() {},
    closed: async () => {},
    subscribe: () => ({ drain: () => new Promise(() => {}) }),
  } as unknown as NatsConnection;
  const control = { listensAgain() {} } as unknown as ServiceControl;
  const subscriptions = new ServiceSubscriptions(connection, control);
  subscriptions.add('a.subject', undefined, () => {});
  await t.notThrowsAsync(subscriptions.drain());
});
