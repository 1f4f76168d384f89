// Tests of failures of checked histories: the error and the recording show the moment of the
// violation, although a scenario finds it only at its end.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { check, explore, type Scenario } from './index.ts';
import test from './testing/serial.ts';

const register = defineProtocol({
  name: 'register',
  version: 1,
  channel: 0x20,
  methods: {
    get: { id: 1, request: bytes, response: bytes, timeout: 100 },
    set: { id: 2, request: bytes, response: bytes, timeout: 100 },
  },
});
const nothing = new Uint8Array(0);

/** A register that forgets its value in a restart at 1,000 ms; its clients work until 5,000 ms. */
const forgets: Scenario = async (sim) => {
  sim.node('server', async ({ transport, log }) => {
    const net = transport(register);
    let value = nothing;
    log('is empty');
    serve(net, {
      get: () => value,
      set: (next) => {
        value = next;
        return nothing;
      },
    });
    await net.listen();
  });
  const history = check.createHistory(sim);
  const work = async (name: string, writes: boolean) => {
    const net = sim.client(register, { name });
    for (let i = 0; sim.now < 5_000; i++) {
      const value = `${name}.${i}`;
      // Only the first write is confirmed before the restart, so the value is lost for good.
      const isSet = writes && i === 0;
      const handle = isSet
        ? history.call(name, { key: 'x', op: 'set', value })
        : history.call(name, { key: 'x', op: 'get' });
      try {
        const sent = isSet ? new TextEncoder().encode(value) : nothing;
        const answer = await net.send('server', isSet ? 'set' : 'get', sent);
        handle.ok(isSet ? undefined : new TextDecoder().decode(answer) || undefined);
      } catch {
        handle.unknown();
      }
      await net.clock.sleep(40);
    }
  };
  await sim.settle(Promise.all([work('c1', true), work('c2', false)]));
  const verdict = check.linearizable(history);
  if (verdict.linearizable !== true) throw new Error(verdict.text, { cause: verdict });
};

const search = {
  name: 'forgets',
  replay: 'x',
  scenario: forgets,
  link: { latency: [1, 5] },
  nemesis: [{ at: 1_000, do: 'restart', node: 'server' }],
} as const;

test('the recording and the error end at the violation, not at the end', async (t) => {
  const { failed } = await explore(search);
  const { error, recording, trace } = failed[0]!;
  const { at, message, text, operations } = recording!.failure!;
  t.true(at > 1_000 && at < 1_300, `${at}`);
  t.is(error.at, at);
  t.is(recording!.at, at);
  t.true(recording!.events.at(-1)!.at <= at);
  t.true(recording!.events.some((event) => event.text === 'restart server'));
  t.is(recording!.hash, trace.hash, 'the hash is that of the whole run');
  t.true(recording!.nodes.every(({ calls }) => calls.every(({ since }) => since <= at)));

  const culprits = operations!.filter(({ culprit }) => culprit);
  t.is(culprits.length, 1);
  t.like(culprits[0], { text: 'get x -> absent', to: at });
  t.like(operations![0], { client: 'c1', text: "set x 'c1.0' -> ok", from: 0, culprit: false });
  t.is(message, text!.split('\n')[0]!);
  t.regex(text!, /^Error: not linearizable: key x, [\s\S]*\n {2}c1 +set x 'c1\.0' -> ok/);
  t.true(text!.endsWith(' had completed, and nothing wrote absent since'));

  const excerpt = error.message
    .split(/\nthe events until the violation at [\d.]+ ms:\n/)[1]!
    .split('\nthe nodes at that time:\n')[0]!
    .split('\n');
  const times = excerpt.map((line) => Number(/[\d.]+/.exec(line)![0]));
  t.is(times.length, 20);
  t.true(Math.max(...times) <= Math.ceil(at));
  t.true(trace.timeline.at(-1)!.includes(excerpt.at(-1)!.trim()));
});

test('without a recording, the error tells the violation from the end', async (t) => {
  const { failed } = await explore({ ...search, record: 0 });
  const { at, message } = failed[0]!.error;
  t.true(at! < 1_300);
  t.true(
    message.includes(
      `\nthe violation was at ${Math.round(at! * 1_000) / 1_000} ms; the last events of the run:\n`,
    ),
    message,
  );
});

test('a rule that judges a history passes its operations on, too', async (t) => {
  const { failed } = await explore({
    ...search,
    scenario: async (sim) => {
      const history = check.createObjectHistory<check.QueueCommand, check.QueueResult>(sim);
      sim.always('a queue', () => {
        const verdict = check.object(history, check.models.queue());
        if (verdict.linearizable !== true) throw new Error(verdict.text, { cause: verdict });
      });
      sim.node('server', () => {});
      sim.at(500, () => history.call('c1', { op: 'dequeue' }).ok('never enqueued'));
      await sim.run(2_000);
    },
  });
  const { failure } = failed[0]!.recording!;
  t.like(failure, { rule: 'a queue', at: 500 });
  t.regex(
    failure!.text!,
    /^a queue: Error: the queue is not linearizable[\s\S]*\nwhen c1 {2}dequeue .*\(seed 1, at 500 ms\)$/,
  );
  t.deepEqual(failure!.operations, [
    { client: 'c1', text: 'dequeue -> "never enqueued"', from: 500, to: 500, culprit: true },
  ]);
});
