// Tests that deliveries are checked and that steps end with the slowest subscriber.

import test from 'ava';
import { Deliveries, messageOf, STEP, SUBSCRIBERS } from './fan-out.ts';

test('a step is over when the last subscriber has the message', (t) => {
  let steps = 0;
  const deliveries = new Deliveries(() => steps++);
  const deliver = (subscriber: number) => {
    for (let sequence = 0; sequence < STEP; sequence++)
      deliveries.take(subscriber, messageOf(sequence));
  };
  for (let subscriber = 1; subscriber < SUBSCRIBERS; subscriber++) deliver(subscriber);
  t.is(steps, 0);
  deliver(0);
  t.is(steps, 1);
});

test('a missing, duplicate, truncated or altered message is detected', (t) => {
  const deliveries = new Deliveries(() => {});
  deliveries.take(3, messageOf(0));
  for (const wrong of [
    messageOf(2),
    messageOf(0),
    messageOf(1).slice(0, 255),
    messageOf(1).fill(0, 250),
  ]) {
    t.throws(() => deliveries.take(3, wrong), { message: /subscriber 3 got message/ });
  }
  t.notThrows(() => deliveries.take(3, messageOf(1)));
});
