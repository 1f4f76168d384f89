// Messages are copied on their way. Changes that a receiver makes are invisible to all others, and
// changes that a sender makes later are invisible to receivers.

import { Buffer } from 'node:buffer';
import { bytes, defineProtocol, type Transport } from '@trunkline/transport-core';
import { createSimulation, type NodeContext } from './index.ts';
import test from './testing/serial.ts';
import { serving } from './testing/test-protocol.ts';

const raw = defineProtocol({
  name: 'raw',
  version: 1,
  channel: 0x21,
  methods: {
    spoil: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    stream: { id: 3, request: bytes, upload: bytes, download: bytes },
  },
});
const KIB = 1024;

for (const level of ['message', 'stream'] as const) {
  for (const size of [3, 200 * KIB]) {
    test(`changes by the receiver are not visible to the sender, nor the other way round: ${size} bytes (${level})`, async (t) => {
      await using sim = createSimulation({ seed: 1, level, link: { duplicate: 0.5 } });
      const kept: Uint8Array[] = [];
      const answer = new Uint8Array(size).fill(7);
      sim.node(
        'b',
        serving(raw, {
          spoil(request) {
            kept.push(request.slice(0, 3));
            request.fill(9);
            return answer;
          },
        }),
      );
      const client = sim.client(raw);
      const request = new Uint8Array(size).fill(1);
      for (let i = 0; i < 5; i++) {
        const got = await sim.settle(client.send('b', 'spoil', request));
        t.deepEqual([...request.subarray(0, 3)], [1, 1, 1]);
        t.deepEqual([...got.subarray(0, 3), got.length], [7, 7, 7, size]);
        got.fill(8);
        t.deepEqual([...answer.subarray(0, 3)], [7, 7, 7]);
      }
      t.true(kept.length >= 5 && kept.every((bytes) => bytes.every((byte) => byte === 1)));
    });
  }

  test(`if one message goes to many, no receiver sees changes of another, including to its copies (${level})`, async (t) => {
    await using sim = createSimulation({ seed: 1, level, link: { duplicate: 1, latency: [1, 9] } });
    const names = ['b', 'c', 'd'];
    const seen: string[] = [];
    for (const name of names) {
      sim.node(
        name,
        serving(raw, {
          tell(request) {
            seen.push(`${name} ${request.join()}`);
            request.fill(9);
          },
        }),
      );
    }
    const client: Transport<typeof raw> = sim.client(raw);
    await sim.settle(Promise.all(names.map((name) => client.dial(name))));
    const message = new Uint8Array([1, 2, 3]);
    t.deepEqual(client.trySendAll(names, 'tell', message), [true, true, true]);
    await sim.run(1_000);
    const times = level === 'message' ? 2 : 1;
    t.deepEqual(
      seen.sort(),
      names.flatMap((name) => Array<string>(times).fill(`${name} 1,2,3`)),
    );
    t.deepEqual([...message], [1, 2, 3]);
  });

  test(`items of streams are copied in both directions (${level})`, async (t) => {
    await using sim = createSimulation({ seed: 1, level });
    const item = new Uint8Array([5]);
    sim.node(
      'b',
      serving(raw, {
        async stream(_request, rpc) {
          for await (const got of rpc.upload) {
            got.fill(9);
            await rpc.write(item);
          }
        },
      }),
    );
    const mine = new Uint8Array([1]);
    async function* upload() {
      yield mine;
      yield mine;
    }
    const got: number[] = [];
    await sim.settle(
      (async () => {
        for await (const back of await sim
          .client(raw)
          .send('b', 'stream', mine, { upload: upload() })) {
          got.push(back[0]!);
          back.fill(8);
        }
      })(),
    );
    t.deepEqual([got, mine[0], item[0]], [[5, 5], 1, 5]);
  });
}

test('an interceptor that keeps a payload and changes it later has no effect on delivered messages', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const kept: Uint8Array[] = [];
  sim.node('b', serving(raw, { spoil: (request) => request }));
  const replacement = new Uint8Array([4]);
  sim.intercept(({ kind }) => (kind === 'response' ? { mutate: replacement } : 'pass'));
  const got = await sim.settle(sim.client(raw).send('b', 'spoil', new Uint8Array([1])));
  replacement.fill(9);
  kept.push(got);
  t.deepEqual([...got], [4]);
});

test('bytes of a store are copied when they are written and read', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let store: NodeContext['store'];
  sim.node('a', (context) => void (store = context.store));
  await sim.run(1);
  const value = Buffer.from([1, 2]); // whose slice() is a view
  const written = store!.set('x', value);
  value.fill(9);
  await sim.settle(written);
  const first = (await sim.settle(store!.get('x')))!;
  t.deepEqual([...first], [1, 2]);
  first.fill(8);
  await sim.settle(store!.sync());
  first.fill(7);
  t.deepEqual([...(await sim.settle(store!.get('x')))!], [1, 2]);
  sim.restart('a');
  await sim.run(1);
  const safe = (await sim.settle(store!.get('x')))!;
  t.deepEqual([...safe], [1, 2]);
  safe.fill(6);
  sim.restart('a');
  await sim.run(1);
  t.deepEqual([...(await sim.settle(store!.get('x')))!], [1, 2]);
});
