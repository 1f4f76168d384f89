// Tests of messages that wait for receipts.

import test from 'ava';
import { Publication, Publications } from './publications.ts';
import type { TopicContext } from './topic-context.ts';

test('a receipt counts only if the message was sent to its peer', async (t) => {
  const publication = new Publication({ min: 1, due: 1_000, timeout: 1_000 });
  publication.queued('a');
  publication.answered('b', undefined);
  publication.look();
  t.false(publication.isOver);
  publication.answered('a', undefined);
  publication.look();
  t.deepEqual(await publication.promise, { queued: 1, received: 1 });
});

test('if a neighbor refuses a message, another one gets it', (t) => {
  const offered: string[] = [];
  const topic = {
    node: { clock: { now: () => 0 } },
    overlay: { neighbors: () => ['a', 'b'] },
    offer: (peer: string) => offered.push(peer) > 0,
  } as unknown as TopicContext;
  const id = { origin: 'me', epoch: 1, sequence: 1 };
  const body = { audience: 'all', nodes: [], payload: new Uint8Array(), message: 1 } as const;
  const message = { id, body: { ...body, receipt: true } };
  const open = { message, until: 0 };
  const publication = new Publication({ min: 1, due: 1_000, timeout: 1_000, open });
  publication.queued('a');
  const publications = new Publications(topic);
  publications.add(publication, message);
  publications.receipt(id, 'a', 'ignored');
  t.deepEqual(offered, ['b']);
});
