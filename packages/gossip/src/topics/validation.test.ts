// Tests of how the peers of a topic share its validators.

import test from 'ava';
import type { MessageVerdict } from '../types.ts';
import { Validation } from './validation.ts';

/** A validation of one message at a time, which `next` ends, and the fates of its messages. */
function validation(limits: { readonly messages: number; readonly bytes: number }) {
  const validating = new Validation(
    { validateTimeout: 1_000, validateAtOnce: 1, validateQueue: limits },
    { clock: { now: () => 0 }, dueBy: () => {} } as never,
  );
  const begun: string[] = [];
  const dropped: string[] = [];
  let end: ((verdict: MessageVerdict) => void) | undefined;
  return {
    validating,
    begun,
    dropped,
    send(from: string, name: string, size = 1) {
      const check = {
        from,
        size,
        begin() {
          begun.push(name);
          return new Promise<MessageVerdict>((resolve) => (end = resolve));
        },
        settled: (finding: string) => void (finding === 'overloaded' && dropped.push(name)),
      };
      validating.run(check, 0);
    },
    async next() {
      end!('accept');
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a peer that sends more than is validated loses its own messages, and delays no other', async (t) => {
  const { begun, dropped, send, next } = validation({ messages: 4, bytes: 1_000 });
  for (let message = 0; message < 8; message++) send('eve', `e${message}`);
  send('ada', 'a0');
  send('eve', 'e8');
  send('bob', 'b0');
  t.deepEqual(dropped, ['e5', 'e6', 'e7', 'e4', 'e8', 'e3']);
  for (let turn = 0; turn < 4; turn++) await next();
  t.deepEqual(begun, ['e0', 'e1', 'a0', 'b0', 'e2']);
});

test('a peer that sends long messages loses its own messages, too', (t) => {
  const { dropped, send, validating } = validation({ messages: 100, bytes: 100 });
  send('eve', 'e0');
  send('eve', 'e1', 90);
  for (let message = 0; message < 8; message++) send('ada', `a${message}`, 5);
  t.deepEqual(dropped, ['e1']);
  t.is(validating.waiting, 8);
});

test('messages of one peer keep their order, however many wait', async (t) => {
  const { begun, send, next } = validation({ messages: 5_000, bytes: 10_000 });
  const names = Array.from({ length: 3_000 }, (_, at) => `e${at}`);
  for (const name of names) send('eve', name);
  while (begun.length < names.length) await next();
  t.deepEqual(begun, names);
});

test('a validator that returns an object without a text has failed', async (t) => {
  const { validating } = validation({ messages: 4, bytes: 100 });
  const check = { from: 'eve', size: 1, begin: async () => Object.create(null) };
  t.is(await new Promise((settled) => validating.run({ ...check, settled }, 0)), 'failed');
});
