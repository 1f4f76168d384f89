// Tests of messages that one node's validator rejects and its neighbors' validators accept.

import { partialView } from './overlay/partial-view.ts';
import { dropsOf, eventsOf, idOf, meet, type Run, words } from './testing/cluster.ts';
import { type Forgery, frame, rawPeer } from './testing/raw-peer.ts';
import test from './testing/serial.ts';
import type { MessageVerdict, TopicOptions } from './types.ts';

/** Returns the verdict on a message. `later` resolves after this number of milliseconds. */
type Judge = (
  message: string,
  later: (ms: number) => Promise<void>,
) => MessageVerdict | Promise<MessageVerdict>;

/** All nodes are neighbors of each other, with room for one more; most links belong to no tree. */
const overlay = partialView({ active: 6, passive: 12, mergeInterval: Number.POSITIVE_INFINITY });
const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Sets up the nodes. Only 'f' has a validator, and all its messages are recorded in `asked`. */
async function network(run: Run, judge: Judge, limits: TopicOptions<string> = {}) {
  const asked: string[] = [];
  const { sim, node, subscriber } = await meet(run, names, {
    gossip: () => ({ overlay }),
    topic: (name, { transport }) => {
      const validate = (message: string) => {
        asked.push(message);
        return judge(message, (ms) => transport.clock.sleep(ms));
      };
      return name === 'f' ? { validate, ...limits } : {};
    },
    neighbors: 3,
  });
  const say = async (name: string, message: string, ms = 1_000) => {
    await sim.settle(subscriber(name).topic.publish(message));
    await sim.run(ms);
  };
  /** Publishes 'first' at 'a', and returns its place in the stream. */
  const first = async () => {
    await sim.run(5_000);
    await say('a', 'first');
    const { id } = subscriber('f').heard[0]!.meta;
    const [sequence, epoch] = id.split('.').map(Number) as [number, number];
    return { sequence, epoch };
  };
  /** Adds a neighbor of 'f' that sends any messages, and returns a function that sends one. */
  const forger = async () => {
    const guest = await rawPeer(sim, { to: 'f' });
    guest.join();
    await sim.run(500);
    return (forgery: Forgery, message: string) =>
      guest.push(frame({ ...forgery, payload: words.encode(message) }));
  };
  const heard = { b: subscriber('b').words, f: subscriber('f').words };
  return { sim, f: node('f'), asked, say, first, forger, heard };
}

for (const [title, ms] of [
  ['ignores', 0],
  ['takes 500 ms to ignore', 500],
] as const) {
  test(`a node whose validator ${title} messages that others forward does not request them again, and blames nobody`, async (t) => {
    const { sim, say, heard, f, asked } = await network(t.context, (message, later) => {
      if (!message.startsWith('odd')) return 'accept';
      return ms > 0 ? later(ms).then(() => 'ignore') : 'ignore';
    });
    const grafts = () =>
      (f.gossip.snapshot().topics[0]!.details as { counters: { graftsSent: number } }).counters
        .graftsSent;
    for (let i = 0; i < 10; i++) await say('a', `even ${i}`, 300);
    const before = grafts();
    for (let i = 0; i < 20; i++) await say('a', `odd ${i}`, 300);
    await sim.run(20_000);
    t.is(grafts(), before, `no graft`);
    t.is(asked.filter((message) => message.startsWith('odd')).length, 20, `each validated once`);
    t.deepEqual(eventsOf(f, 'misbehaved'), []);
    t.is(heard.b.length, 30);
    await say('b', 'even at last', 2_000);
    t.true(heard.f.includes('even at last'));
  });
}

test('a message that has no room among those of one sender waits among those of another that sent it, too', async (t) => {
  let release: ((verdict: MessageVerdict) => void) | undefined;
  const busy = new Promise<MessageVerdict>((resolve) => (release = resolve));
  const { sim, say, heard, f, first, forger } = await network(
    t.context,
    async (message) => (message === 'busy' ? busy : 'accept'),
    { validateAtOnce: 1, validateTimeout: 60_000, validateQueue: { messages: 4 } },
  );
  const { sequence, epoch } = await first();
  const send = await forger();
  const flood = ['busy', 'x', 'y', 'z'];
  for (const [at, message] of flood.entries()) send({ epoch, sequence: at }, message);
  send({ origin: idOf('a'), epoch, sequence: sequence + 1 }, 'second');
  await sim.run(100);
  for (const word of ['second', 'third']) await say('a', word);
  t.is(f.gossip.snapshot().topics[0]!.toValidate, 4);
  release!('ignore');
  await sim.run(1_000);
  t.deepEqual([...heard.f].sort(), ['first', 'second', 'third', 'x', 'y']);
  send({ epoch, sequence: 3 }, 'z');
  await sim.run(1_000);
  t.is(heard.f.at(-1), 'z', 'there is room when it comes again');
});

test('without signatures, a message under the id of one that was refused, or is being validated, is dropped, whatever its content', async (t) => {
  const { sim, say, heard, f, first, forger } = await network(t.context, async (message, later) => {
    if (message === 'accepted slowly') await later(500);
    return message === 'forged' ? 'ignore' : 'accept';
  });
  const { sequence, epoch } = await first();
  const send = await forger();
  send({ origin: idOf('a'), epoch, sequence: sequence + 1 }, 'forged');
  send({ origin: idOf('a'), epoch, sequence: sequence + 2 }, 'accepted slowly');
  await sim.run(100);
  await say('a', 'second', 0);
  await say('a', 'third');
  t.deepEqual(heard.f, ['first', 'accepted slowly']);
  const reasons = dropsOf(f);
  t.deepEqual([reasons[0], new Set(reasons.slice(1))], ['ignored', new Set(['refused'])]);
});

test('a signed copy of an unsigned message that is being validated is dropped as unverified', async (t) => {
  const { sim, heard, f, forger } = await network(t.context, (_, later) =>
    later(500).then(() => 'accept'),
  );
  const send = await forger();
  send({}, 'held');
  await sim.run(100);
  t.is(f.gossip.snapshot().topics[0]!.validating, 1);
  const publicKey = new Uint8Array(44).fill(1);
  send({ signature: { publicKey, bytes: new Uint8Array(64) } }, 'held');
  await sim.run(1_000);
  t.deepEqual(dropsOf(f), ['unverified']);
  t.deepEqual(heard.f, ['held']);
});
