import test from 'ava';
import { contentDigest } from './content-digest.ts';
import { SeenMessages, type SeenMessagesOptions } from './seen-messages.ts';

const options: SeenMessagesOptions = { retention: 90_000, originRetention: 600_000, origins: 100, gaps: 16, digests: 50 };
const id = (sequence: number, origin = 'a', epoch = 1) => ({ origin, epoch, sequence });

test('equal contents twice are two messages, one id twice is one', (t) => {
  const seen = new SeenMessages(options);
  t.is(seen.note(id(0), 0, 77), 'new');
  t.is(seen.note(id(1), 0, 77), 'new');
  t.is(seen.note(id(0), 5, 77), 'seen');
  t.is(seen.note(id(0, 'b'), 5, 77), 'new');
});

test('of two contents under one id the first counts, and the second is told', (t) => {
  const seen = new SeenMessages(options);
  const first = contentDigest(new Uint8Array([1, 2, 3]));
  const second = contentDigest(new Uint8Array([1, 2, 4]));
  t.is(seen.note(id(0), 0, first), 'new');
  t.is(seen.note(id(0), 1, second), 'conflict');
  t.is(seen.note(id(0), 2, second), 'conflict');
  t.is(seen.note(id(0), 3, first), 'seen');
  // The digest is forgotten in time, the id is not.
  seen.expire(90_000);
  t.is(seen.size.digests, 0);
  t.is(seen.note(id(0), 90_001, second), 'seen');
});

test('a restarted origin is heard, its earlier life no longer', (t) => {
  const seen = new SeenMessages(options);
  t.is(seen.note(id(500, 'a', 1), 0), 'new');
  t.is(seen.note(id(0, 'a', 2), 1), 'new');
  t.is(seen.note(id(1, 'a', 2), 1), 'new');
  t.is(seen.look(id(501, 'a', 1), 2), 'old');
  t.is(seen.note(id(500, 'a', 1), 2), 'old');
  t.is(seen.note(id(0, 'a', 2), 2), 'seen');
});

test('looking remembers nothing', (t) => {
  const seen = new SeenMessages(options);
  t.is(seen.look(id(3), 0), 'new');
  t.is(seen.note(id(3), 0), 'new');
  t.is(seen.look(id(3), 0), 'seen');
  t.deepEqual(seen.size, { origins: 1, digests: 0 });
});

test('a million messages of one origin cost as much as one', (t) => {
  const seen = new SeenMessages(options);
  for (let sequence = 0; sequence < 1_000_000; sequence++) if (seen.note(id(sequence), sequence, sequence) !== 'new') return t.fail(`${sequence}`);
  t.is(seen.look(id(12_345), 1e6), 'seen');
  t.deepEqual(seen.size, { origins: 1, digests: 50 });
});

test('with no room for origins new ones are refused; those who publish go on, and nothing is new again', (t) => {
  const seen = new SeenMessages(options);
  for (let i = 0; i < 100; i++) t.is(seen.note(id(0, `o${i}`), 0), 'new');
  for (let i = 0; i < 10_000; i++) if (seen.note(id(0, `flood${i}`), 1_000) !== 'full') return t.fail(`flood${i}`);
  t.is(seen.size.origins, 100);
  for (let i = 0; i < 100; i++) {
    t.is(seen.note(id(0, `o${i}`), 2_000), 'seen');
    if (i < 99) t.is(seen.note(id(1, `o${i}`), 2_000), 'new');
  }
  // Only o99 has been silent long enough to make room, and for one.
  t.is(seen.note(id(0, 'late'), 91_500), 'new');
  t.is(seen.note(id(0, 'later'), 91_500), 'full');
  t.is(seen.note(id(0, 'o5'), 91_500), 'seen');
});

test('an origin that is silent for long is forgotten', (t) => {
  const seen = new SeenMessages(options);
  seen.note(id(4), 0, 1);
  seen.note(id(0, 'b'), 300_000, 1);
  t.is(seen.due, 90_000);
  seen.expire(90_000);
  t.is(seen.look(id(3), 90_000), 'old');
  t.is(seen.look(id(4), 90_000), 'seen');
  t.is(seen.look(id(5), 90_000), 'new');
  seen.expire(600_000);
  t.is(seen.size.origins, 1);
  t.is(seen.due, 900_000);
  t.is(seen.look(id(4), 600_000), 'new');
});

test('a digest differs where a byte does, and fits into a number', (t) => {
  const digests = new Set<number>();
  for (let length = 0; length < 40; length++) {
    for (let place = 0; place < length; place++) {
      for (const value of [1, 2, 128, 255]) {
        const bytes = new Uint8Array(length);
        bytes[place] = value;
        digests.add(contentDigest(bytes));
      }
    }
  }
  t.is(digests.size, 4 * ((39 * 40) / 2));
  for (const digest of digests) t.true(Number.isSafeInteger(digest) && digest >= 0);
});
