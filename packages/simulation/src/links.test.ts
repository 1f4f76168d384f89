// Tests of the effects of links on data, on both levels where possible.

import { serve } from '@trunkline/transport-core';
import { createSimulation, type LinkOptions, type SimulationLevel } from './index.ts';
import test from './testing/serial.ts';
import {
  ask,
  drain,
  items,
  linked,
  outcome,
  server,
  testProtocol,
} from './testing/test-protocol.ts';

const LEVELS: readonly SimulationLevel[] = ['message', 'stream'];
const KIB = 1024;

/**
 * Sends `count` one-way messages, one at a time, and returns how long each took in milliseconds.
 */
async function delays(link: LinkOptions, count: number, level: SimulationLevel): Promise<number[]> {
  const { sim, client, heard } = await linked(link, level);
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = sim.now;
    await sim.settle(client.send('b', 'hint', `${i}`));
    await sim.until(() => heard.length > i, 10_000);
    took.push(heard[i]![1] - at);
  }
  await sim.close();
  return took;
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

for (const level of LEVELS) {
  test(`latency follows its distribution (${level})`, async (t) => {
    const whole = { fragment: 0 };
    t.true(
      (await delays({ ...whole, latency: 7 }, 50, level)).every(
        (delay) => Math.abs(delay - 7) < 1e-6,
      ),
    );
    const uniform = await delays({ ...whole, latency: [10, 30] }, 2_000, level);
    t.true(uniform.every((delay) => delay > 9.999 && delay < 30.001));
    t.true(Math.abs(mean(uniform) - 20) <= 0.6, `${mean(uniform)}`);
  });

  test(`a bad link affects one direction only, and until heal (${level})`, async (t) => {
    const { sim, client } = await linked({ latency: 40, fragment: 0 }, level);
    const timed = async () => {
      const at = sim.now;
      await sim.settle(client.send('b', 'echo', 'x'));
      return Math.round(sim.now - at);
    };
    t.is(await timed(), 41);
    sim.link('b', 'c', { latency: 10, fragment: 0 }, { direction: 'one-way' });
    t.is(await timed(), 50);
    sim.heal();
    t.is(await timed(), 2);
    await sim.close();
  });

  test(`bandwidth determines how long bytes take (${level})`, async (t) => {
    const { sim, client, heard } = await linked({ bandwidth: 100_000, fragment: 0 }, level);
    const at = sim.now;
    for (let i = 0; i < 10; i++) await sim.settle(client.send('b', 'hint', 'x'.repeat(10_000)));
    await sim.until(() => heard.length === 10, 10_000);
    t.true(
      heard.at(-1)![1] - at >= 1_000 && heard.at(-1)![1] - at < 1_030,
      `${heard.at(-1)![1] - at}`,
    );
    const gaps = heard.slice(1).map(([, time], i) => time - heard[i]![1]);
    t.true(
      gaps.every((gap) => gap >= 0 && gap < 210),
      String(gaps),
    );
    await sim.close();
  });
}

test('uplink limits what a node sends over all its links together, but not what others send', async (t) => {
  const took = async (link: LinkOptions) => {
    const sim = createSimulation({ seed: 1, level: 'stream', link: { fragment: 0, ...link } });
    const heard: number[] = [];
    for (const name of ['a', 'b', 'c', 'd'])
      sim.node(name, async ({ transport, clock }) => {
        const t = transport(testProtocol);
        await t.listen();
        serve(t, { hint: () => void heard.push(clock.now()) });
        if (name === 'a' || name === 'd')
          for (const to of ['b', 'c']) void t.send(to, 'hint', 'x'.repeat(50_000));
        return () => t.close();
      });
    await sim.until(() => heard.length === 4, 10_000);
    const { now } = sim;
    await sim.close();
    return now;
  };
  const [link, uplink, both] = [
    await took({ bandwidth: 100_000 }),
    await took({ uplink: 100_000 }),
    await took({ bandwidth: 50_000, uplink: 100_000 }),
  ];
  t.true(link > 500 && link < 520, `${link}`);
  t.true(uplink > 1_000 && uplink < 1_020, `${uplink}`);
  t.true(both > 1_000 && both < 1_520, `${both}`);
});

test('loss drops the configured share', async (t) => {
  const { sim, client, heard } = await linked({ loss: 0.2 });
  for (let i = 0; i < 5_000; i++) {
    void client.send('b', 'hint', `${i}`);
    if (i % 50 === 0) await sim.run(5);
  }
  await sim.run(10_000);
  t.true(heard.length > 3_880 && heard.length < 4_120, `${heard.length}`);
  await sim.close();
});

test('loss on a stream means delay: all arrives in order, and a retransmission takes 200 ms or more', async (t) => {
  const { sim, client, heard } = await linked({ loss: 0.2 }, 'stream');
  const sent = Array.from({ length: 300 }, (_, i) => `${i}`);
  for (const hint of sent) {
    await sim.settle(client.send('b', 'hint', hint));
    await sim.run(20);
  }
  await sim.run(10_000);
  t.deepEqual(
    heard.map(([hint]) => hint),
    sent,
  );
  t.true(heard.some(([, at], i) => i > 0 && at - heard[i - 1]![1] > 150));
  await sim.close();
});

test('a stream that loses all chunks ends its connection within a minute, and no message is lost silently', async (t) => {
  const { sim, client } = await linked({ loss: 1 }, 'stream');
  t.is(
    await sim.settle(outcome(client.send('b', 'echo', 'x', { timeout: 100_000 })), 200_000),
    'unavailable/reset',
  );
  await sim.close();
});

test('burst loss comes in bursts: the same loss in far fewer runs', async (t) => {
  const runs = async (link: LinkOptions) => {
    const { sim, client, heard } = await linked(link);
    for (let i = 0; i < 4_000; i++) {
      void client.send('b', 'hint', `${i}`);
      if (i % 50 === 0) await sim.run(5);
    }
    await sim.run(10_000);
    await sim.close();
    const got = new Set(heard.map(([hint]) => Number(hint)));
    let count = 0;
    for (let i = 1; i < 4_000; i++) if (!got.has(i) && got.has(i - 1)) count++;
    return { lost: 4_000 - got.size, runs: count };
  };
  const single = await runs({ loss: 0.2 });
  const burst = await runs({ burst: { begin: 0.025, end: 0.1 } });
  t.true(burst.lost > 600 && burst.lost < 1_000, `${burst.lost}`);
  t.true(
    burst.lost / burst.runs > 7 && burst.lost / burst.runs < 14,
    `${burst.lost / burst.runs} per burst`,
  );
  t.true(single.lost / single.runs < 1.5);
});

test('messages that find the queue full are lost at message level, and wait on a stream', async (t) => {
  for (const level of LEVELS) {
    const { sim, client, heard } = await linked(
      { bandwidth: 10_000, queue: 20_000, fragment: 0 },
      level,
    );
    for (let i = 0; i < 20; i++) {
      void client.send('b', 'hint', `${i}`.padEnd(5_000)).catch(() => {});
      await sim.run(1);
    }
    await sim.run(30_000);
    if (level === 'stream') t.is(heard.length, 20);
    else t.true(heard.length >= 4 && heard.length <= 7, `${heard.length}`);
    await sim.close();
  }
});

test('a wrong bit on a stream ends the connection or is refused, and never changes the frame of a payload silently', async (t) => {
  let ended = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const { sim, client } = await linked({ corrupt: 1, fragment: 0 }, 'stream', seed);
    const result = await ask(sim, client, 'b', 'payload', { timeout: 2_000 });
    if (/^[a-z_]+(\/[a-z_]+)?$/.test(result) && result !== 'payload') ended++;
    t.notRegex(result, /undefined/);
    await sim.close();
  }
  t.true(ended > 5, `${ended}`);
});

test('fragment: the results are the same however the chunks of a stream are cut', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    await using sim = createSimulation({
      seed,
      level: 'stream',
      link: { fragment: 1, latency: [0, 3] },
    });
    sim.node('b', server());
    const client = sim.client(testProtocol);
    const long = 'y'.repeat(200 * KIB);
    t.is(await sim.settle(client.send('b', 'echo', 'short')), 'short');
    t.true((await sim.settle(client.send('b', 'echo', long))) === long);
    t.is(
      await sim.settle(drain(client.send('b', 'mirror', 'm', { upload: items('', 5) }))),
      'm0,m1,m2,m3,m4',
    );
  }
});

test('invalid links throw TypeErrors that name the option', (t) => {
  const bad: [unknown, RegExp][] = [
    [{ loss: 2 }, /loss/],
    [{ latency: -1 }, /latency/],
    [{ latency: [3, 1] }, /latency/],
    [{ burst: { begin: 0.1 } }, /burst/],
    [{ bandwidth: 0 }, /bandwidth/],
    [{ uplink: -1 }, /uplink/],
    [{ lost: 1 }, /lost/],
    [{ queue: 0 }, /queue/],
  ];
  for (const [link, name] of bad) {
    t.throws(() => createSimulation({ seed: 1, link: link as LinkOptions }), {
      instanceOf: TypeError,
      message: name,
    });
    const sim = createSimulation({ seed: 1 })
      .node('a', () => {})
      .node('b', () => {});
    t.throws(() => sim.link('a', 'b', link as LinkOptions), {
      instanceOf: TypeError,
      message: name,
    });
  }
});
