// Tests of messages that wait for receipts.

import test from 'ava';
import { Publication } from './publication.ts';

test('a receipt counts only if the message was sent to its peer', async (t) => {
  const publication = new Publication({ min: 1, due: 1_000, timeout: 1_000 });
  publication.sent('a');
  publication.confirmed('b');
  publication.look();
  t.false(publication.isOver);
  publication.confirmed('a');
  publication.look();
  t.deepEqual(await publication.promise, { queued: 1, received: 1 });
});
