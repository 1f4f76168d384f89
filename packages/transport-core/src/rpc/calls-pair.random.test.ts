// Tests of calls between two sessions whose callers and handlers act at random, with and without
// the loss of the connection.

import { getEventListeners } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { TransportError, withDetails } from '../errors.ts';
import { type Random, seededRandom } from '../random.ts';
import { pick } from '../session/testing/pair.ts';
import type { Call } from './call.ts';
import type { AnyHandler, IncomingRpc } from './rpc.ts';
import {
  CallFixture,
  type Name,
  type Options,
  one,
  protocol,
  turn,
} from './testing/call-fixture.ts';

/** Lets callers and handlers act at random. */
async function chaos(t: ExecutionContext, seed: number, cut: boolean): Promise<void> {
  const random: Random = seededRandom(seed);
  const fixture = new CallFixture();
  const { pair } = fixture;
  const gates: (() => void)[] = [];
  const pause = () =>
    random() < 0.5 ? Promise.resolve() : new Promise<void>((resolve) => gates.push(resolve));
  const maybeThrow = () => {
    if (random() < 0.1) throw new TransportError('aborted', 'chance');
  };
  const handlers: Partial<Record<Name, AnyHandler>> = {
    ask: async (request) => {
      await pause();
      maybeThrow();
      return request;
    },
    tell: () => {},
    give: async (_request, rpc) => {
      let count = 0;
      for await (const _ of rpc.upload!) {
        count++;
        await pause();
        maybeThrow();
        if (random() < 0.1) break;
      }
      return one(count);
    },
    get: async function* (request: unknown) {
      for (let i = 0; i < (request as Uint8Array)[0]! % 6; i++) {
        await pause();
        maybeThrow();
        yield new Uint8Array(1 + Math.floor(random() * 9_000)).fill(i);
      }
    } as unknown as AnyHandler,
    both: async (_request, rpc) => {
      for await (const item of rpc.upload!) {
        await (rpc as IncomingRpc).write(item);
        maybeThrow();
      }
    },
  };
  const ends = [pair.dialer, pair.acceptor];
  for (const end of ends) fixture.serve(end, handlers);
  async function* source() {
    for (let i = 0; i < 5; i++) {
      await pause();
      maybeThrow();
      yield new Uint8Array(1 + Math.floor(random() * 9_000)).fill(i);
    }
  }
  const calls: { call: Call; settled: number; reading?: Promise<unknown> }[] = [];
  const controllers: AbortController[] = [];
  const make = () => {
    const name = pick(Object.keys(protocol.methods), random) as Name;
    const controller = new AbortController();
    controllers.push(controller);
    const payload = new Uint8Array(1 + Math.floor(random() ** 4 * 20_000)).fill(
      Math.floor(random() * 256),
    );
    const options: Options = { signal: controller.signal };
    if (random() < 0.2) options.timeout = 1 + random() * 300;
    if (name === 'give' || name === 'both') options.upload = source();
    const call = fixture.call(pick(ends, random)!, name, payload, options);
    const made: (typeof calls)[number] = { call, settled: 0 };
    calls.push(made);
    made.reading = call.promise
      .then(
        async (value) => {
          made.settled++;
          if (name === 'ask') t.deepEqual(value, payload);
          if (name !== 'get' && name !== 'both') return;
          let expected = 0;
          for await (const item of value as AsyncIterable<Uint8Array>) {
            t.is(item[0], expected++);
            t.is(item.at(-1), item[0]);
            await pause();
            if (random() < 0.1) break;
          }
        },
        () => void made.settled++,
      )
      .catch((failure: unknown) => {
        if (!(failure instanceof TransportError)) throw failure;
      });
  };
  for (let step = 0; step < 300; step++) {
    const draw = random();
    const end = pick(ends, random)!;
    if (draw < 0.2) make();
    else if (draw < 0.24) pick(controllers, random)?.abort('chance');
    else if (draw < 0.5) gates.splice(Math.floor(random() * gates.length), 1)[0]?.();
    else if (draw < 0.52) end.stuck = true;
    else if (draw < 0.6) end.drain();
    else if (draw < 0.7) pair.tick(end);
    else if (draw < 0.72) pair.pass(Math.floor(random() * 40));
    else pair.move(end, 1 + Math.floor(random() ** 3 * 20_000));
    if (step % 3 === 0) await turn();
  }
  if (cut) {
    pair.cut();
    for (const end of ends)
      for (const call of end.ending!.unsent)
        call.failed(withDetails(end.ending!.error, { sent: false }));
  }
  let through = false;
  void Promise.all(calls.map(({ reading }) => reading)).then(() => {
    through = true;
  });
  for (let round = 0; round < 3_000 && !through; round++) {
    for (const end of ends) if (!cut) end.drain();
    for (const gate of gates.splice(0)) gate();
    pair.quiet();
    await turn();
  }
  t.true(through, 'every call and every loop ends');
  for (let round = 0; round < 20; round++) {
    for (const gate of gates.splice(0)) gate();
    pair.quiet();
    await turn();
  }
  for (const { call, settled } of calls) t.is(settled, 1, call.method.name);
  t.is(fixture.settled.length, calls.length);
  for (const { signal } of controllers) t.is(getEventListeners(signal, 'abort').length, 0);
  for (const end of ends) {
    t.is(end.memory.used, 0);
    t.is(end.session.parts.caller.slots.size, 0);
    t.is(end.session.parts.callee.ids.size, 0);
    for (const channel of end.session.parts.channels.all) t.is(channel.running, 0);
    if (!cut) t.is(end.ending, undefined);
  }
}

for (const cut of [false, true]) {
  test(`whatever users and handlers do, ${cut ? 'and the connection breaks' : 'in any order'}: each call settles once and no state is left`, async (t) => {
    for (let seed = 0; seed < 40; seed++) {
      try {
        await chaos(t, seed, cut);
      } catch (failure) {
        t.log(`seed ${seed}`);
        throw failure;
      }
    }
  });
}
