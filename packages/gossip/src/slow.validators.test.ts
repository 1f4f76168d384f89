// Tests of validators: their decisions, and the limits for slow or hanging ones.

import { dropsOf, eventsOf } from './testing/cluster.ts';
import test from './testing/serial.ts';
import { pair } from './testing/topic-pair.ts';
import type { MessageVerdict } from './types.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

test('a validator decides what is delivered; only rejected messages lower the sender’s score', async (t) => {
  const asked: string[] = [];
  const validate = (message: string): MessageVerdict | Promise<MessageVerdict> => {
    asked.push(message);
    if (message === 'throw') throw new Error('broken');
    if (message === 'hang') return new Promise(() => {});
    const verdict = message.slice(message.indexOf(' ') + 1) as MessageVerdict;
    return message.startsWith('late') ? Promise.resolve(verdict) : verdict;
  };
  const { sim, a, b, from, at } = await pair(t.context, {
    news: { validate, validateTimeout: 700 },
  });
  const verdicts = ['accept', 'reject', 'ignore'];
  const late = verdicts.map((verdict) => `late ${verdict}`);
  const sent = [...verdicts, ...late, 'throw', 'hang', 'nonsense', 'accept'];
  for (const word of sent) void from[0]!.topic.publish(word);
  await sim.run(500);
  t.deepEqual([...at[0]!.words].sort(), ['accept', 'accept', 'late accept']);
  t.is(b.gossip.snapshot().topics[0]!.validating, 1);
  await sim.run(1_000);
  t.is(b.gossip.snapshot().topics[0]!.validating, 0);
  t.deepEqual(asked, sent);
  const reasons = [...Array(4).fill('ignored'), 'rejected', 'rejected', 'timeout'];
  t.deepEqual(dropsOf(b).sort(), reasons);
  const blamed = eventsOf(b, 'misbehaved').map(({ nodeId, what }) => [nodeId, what]);
  t.deepEqual(blamed, Array(2).fill([a.nodeId, 'rejected']));
});

test('a validator that takes 5 ms loses nothing of a burst of 1,000, and delays no other topic', async (t) => {
  const validate = (): Promise<MessageVerdict> => b.transport.clock.sleep(5).then(() => 'accept');
  const { sim, b, from, at } = await pair(t.context, { news: { validate }, other: {} });
  const burst = numbers(1_000);
  for (const number of burst) void from[0]!.topic.publish(number);
  void from[1]!.topic.publish('free');
  await sim.until(() => at[1]!.words.length === 1, 1_000);
  t.true(at[0]!.words.length < 1_000, `the other topic does not wait for this one`);
  await sim.run(1_000);
  t.deepEqual(at[0]!.words, burst);
  t.deepEqual(dropsOf(b), []);
}, 1);

test('while all validators are busy, messages wait in order, bounded by count and bytes; the rest is dropped without blame', async (t) => {
  for (const [queue, kept] of [
    [{ messages: 3 }, 7],
    [{ bytes: 10 }, 7],
    [{ messages: 0 }, 4],
    [{}, 10],
  ] as const) {
    const asked: string[] = [];
    const verdicts: ((verdict: MessageVerdict) => void)[] = [];
    const validate = (message: string) => {
      asked.push(message);
      return new Promise<MessageVerdict>((resolve) => verdicts.push(resolve));
    };
    const { sim, b, from, at } = await pair(t.context, {
      news: { validate, validateAtOnce: 4, validateQueue: queue, validateTimeout: 60_000 },
      other: {},
    });
    // Each message takes three bytes.
    for (const number of numbers(10)) void from[0]!.topic.publish(number);
    void from[1]!.topic.publish('free');
    await sim.run(500);
    t.deepEqual([asked, at[1]!.words], [numbers(4), ['free']]);
    const { validating, toValidate, dropped } = b.gossip.snapshot().topics[0]!;
    t.deepEqual([validating, toValidate, dropped.overloaded ?? 0], [4, kept - 4, 10 - kept]);
    while (verdicts.length > 0) {
      verdicts.shift()!('accept');
      await sim.run(1);
    }
    await sim.run(500);
    t.deepEqual(at[0]!.words, numbers(kept));
    t.deepEqual(dropsOf(b), Array(10 - kept).fill('overloaded'));
    t.deepEqual(eventsOf(b, 'misbehaved'), []);
    // Room that became free is available to the next messages.
    for (const number of numbers(10)) void from[0]!.topic.publish(number);
    await sim.run(500);
    t.is(b.gossip.snapshot().topics[0]!.toValidate, kept - 4);
    at[0]!.topic.close();
    t.deepEqual(await sim.close(), []);
  }
}, 1);

test('a message has its whole time from the start of its validation; a validator that hangs makes room for the next', async (t) => {
  const asked: string[] = [];
  const validate = (message: string): Promise<MessageVerdict> => {
    asked.push(message);
    return message === '3' ? Promise.resolve('accept') : new Promise(() => {});
  };
  const { sim, b, from, at } = await pair(t.context, {
    news: { validate, validateAtOnce: 1, validateTimeout: 1_000 },
  });
  for (const number of numbers(4)) void from[0]!.topic.publish(number);
  await sim.run(900);
  t.deepEqual(asked, ['0']);
  await sim.run(1_000);
  t.deepEqual(asked, ['0', '1']);
  await sim.run(2_000);
  t.deepEqual([asked, at[0]!.words], [numbers(4), ['3']]);
  t.deepEqual(dropsOf(b), ['timeout', 'timeout', 'timeout']);
}, 1);
