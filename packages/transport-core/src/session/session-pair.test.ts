// Tests two sessions with random calls in random order and chunks of random size. Each call must
// settle once, with its own answer. After that, all accounts must be as they were at the start.

import test, { type ExecutionContext } from 'ava';
import { withDetails } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import { type Pair, pick, SMALL } from './testing/pair.ts';
import { RandomUsers } from './testing/random-users.ts';

/** Pays all credit that receivers owe, and checks that the senders have what they began with. */
function checkAccounts(t: ExecutionContext, pair: Pair): void {
  for (const end of [pair.dialer, pair.acceptor]) {
    const { pipe, reply } = end.session.parts.packets;
    for (const receiving of [pipe, reply]) receiving.pay();
    for (const channel of end.session.parts.channels.all())
      for (const receiving of [channel.short, channel.long]) receiving.pay();
  }
  pair.quiet();
  for (const end of [pair.dialer, pair.acceptor]) {
    const { caller, callee, outbox } = end.session.parts;
    const { served } = callee;
    const other = end === pair.dialer ? pair.acceptor : pair.dialer;
    const { window } = other.session.parts.packets;
    t.is(outbox.pipe, window.granted, 'pipe');
    t.true(
      outbox.pipe >= SMALL.credit.pipe && outbox.pipe <= SMALL.credit.pipeMax,
      'within its limits',
    );
    t.is(outbox.reply, SMALL.credit.reply, 'reply');
    for (const { lanes, ...channel } of end.session.parts.channels.all()) {
      t.is(lanes.shortCredit, SMALL.credit.short, 'short');
      t.is(lanes.longCredit, SMALL.credit.long, 'long');
      t.is(channel.short.left, SMALL.credit.short);
      t.is(channel.long.left, SMALL.credit.long);
      t.deepEqual(
        [channel.open, channel.openIn, channel.running, channel.queued, channel.queuedBytes],
        [0, 0, 0, 0, 0],
      );
      for (const { messages, bytes } of [
        lanes.shorts,
        lanes.longs,
        lanes.shortReplies,
        lanes.longReplies,
      ])
        t.deepEqual([messages, bytes], [0, 0]);
      t.true(lanes.empty);
    }
    t.deepEqual([caller.slots.size, caller.streams, served.ids.size, served.streams], [0, 0, 0, 0]);
    t.true(outbox.idle);
    t.is(end.ending, undefined);
  }
}

function checkMemory(t: ExecutionContext, pair: Pair): void {
  for (const end of [pair.dialer, pair.acceptor]) {
    t.is(end.memory.used, 0, 'the gauge');
    t.is(end.session.parts.context.usage.held, 0, 'held');
  }
}

/** Runs `body` for many seeds, and logs the seed that fails. */
async function forSeeds(
  t: ExecutionContext,
  from: number,
  body: (users: RandomUsers, random: Random) => Promise<void>,
): Promise<void> {
  for (let seed = from; seed < from + SEEDS; seed++) {
    const random = seededRandom(seed);
    try {
      await body(new RandomUsers(t, random), random);
    } catch (error) {
      t.log(`seed ${seed}`);
      throw error;
    }
  }
}

async function live(users: RandomUsers, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    users.step();
    if (step % 10 === 0) await null;
  }
}

const SEEDS = 60;

test('in any order of events each call settles once with its own answer, and no state is left behind', (t) =>
  forSeeds(t, 0, async (users) => {
    await live(users, 600);
    for (const end of users.ends) t.is(end.ending, undefined);
    users.finish();
    users.checkAnswers();
    users.checkOneways();
    checkAccounts(t, users.pair);
    checkMemory(t, users.pair);
  }));

test('when the connection breaks, each call settles once or is returned unsent, and nothing is held', (t) =>
  forSeeds(t, 1_000, async (users, random) => {
    await live(users, 50 + Math.floor(random() * 400));
    users.pair.cut();
    for (const end of users.ends) {
      t.is(end.endings, 1);
      const { error, unsent } = end.ending!;
      t.is(error.code, 'unavailable');
      const order = unsent.map((call) => call.seq);
      t.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
      for (const call of unsent) {
        t.false(call.done);
        t.is(call.carrier, undefined);
        call.failed(withDetails(error, { sent: false }));
      }
      for (const call of end.take()) call.handled();
    }
    for (const { call } of users.served) call.handled();
    users.checkAnswers();
    for (const { call } of users.made)
      if (call.error?.code === 'unavailable') t.not(call.error.sent, undefined);
    checkMemory(t, users.pair);
  }));

test('when an end leaves in order, accepted messages arrive, open calls are answered, and nothing that waits is lost', (t) =>
  forSeeds(t, 2_000, async (users, random) => {
    await live(users, 100 + Math.floor(random() * 200));
    const leavers = random() < 0.3 ? users.ends : [pick(users.ends, random)!];
    for (const end of leavers) end.session.leave('disconnected', 'enough');
    for (let step = 0; step < 200; step++) {
      users.step();
      users.failReturned();
      if (step % 10 === 0) await null;
    }
    for (const end of users.ends) end.stuck = false;
    users.finish();
    users.pair.quiet();
    users.checkAnswers();
    users.checkOneways();
    for (const end of users.ends) {
      t.is(end.endings, 1);
      t.deepEqual(
        [end.ending!.error.code, end.ending!.error.reason, end.ending!.error.message],
        ['unavailable', 'disconnected', 'enough'],
      );
    }
    checkMemory(t, users.pair);
  }));

test('when a transport closes, accepted messages arrive, and every call settles at both ends within its grace and a second', (t) =>
  forSeeds(t, 3_000, async (users, random) => {
    await live(users, 100 + Math.floor(random() * 200));
    const end = pick(users.ends, random)!;
    const told = users.made.filter(
      ({ call, end: by }) =>
        by === end && call.method.kind === 'oneway' && call.done && call.error === undefined,
    );
    const grace = random() < 0.5 ? 0 : 500;
    end.session.parts.context.now = users.pair.now;
    end.session.shut(grace);
    for (const one of users.ends) one.drain(users.pair.now);
    for (let passed = 0; passed <= grace + 1_000; passed += 50) {
      users.pair.quiet();
      users.failReturned();
      for (let i = 0; i < 5; i++) users.takeAll();
      await null;
      users.pair.pass(50);
    }
    users.pair.quiet();
    users.takeAll();
    users.failReturned();
    users.checkAnswers();
    for (const { number } of told) t.is(users.timesTold(number), 1, `one-way ${number}`);
    for (const one of users.ends) t.is(one.endings, 1);
    for (const { call } of users.made) call.download?.discard();
    for (const { call } of users.served) {
      call.upload?.discard();
      call.handled();
    }
    checkMemory(t, users.pair);
  }));
