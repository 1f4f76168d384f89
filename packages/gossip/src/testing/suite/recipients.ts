// Behaviors of delivery: which nodes get a message, and in which form.

import { bytes, json } from '@trunkline/transport-core';
import { isNodeId } from '@trunkline/transport-core/backend';
import * as z from 'zod/mini';
import { idOf } from '../cluster.ts';
import { type Behavior, inOrder, numbers } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export const recipients: readonly Behavior[] = [
  {
    title: 'a message reaches every member of its topic but the publisher once, with its origin',
    async check(t, fixture) {
      await fixture.meet(NAMES);
      const { queued, failed } = await fixture.publish('a', 'hello');
      t.true(fixture.isMesh ? queued === 3 : queued >= 1 && queued <= 3);
      t.is(failed, undefined);
      const others = ['b', 'c', 'd'];
      await fixture.heard('hello', others);
      // A second delivery would have happened by now.
      await fixture.publish('a', 'later');
      await fixture.heard('later', others);
      for (const name of others) {
        t.deepEqual(inOrder(fixture, fixture.words(name)), ['hello', 'later'], name);
        const { id, origin, from, hops, missed } = fixture.subscriber(name).heard[0]!.meta;
        t.deepEqual([origin, missed, isNodeId(origin)], [fixture.idOf('a'), 0, true]);
        t.true(
          id.length > 0 &&
            (fixture.isMesh ? from === origin && hops === 1 : (from === origin) === (hops === 1)),
          `${name}: ${hops} hops`,
        );
      }
      t.deepEqual(fixture.words('a'), [], 'its own');
      const ids = others.map(
        (name) =>
          fixture.subscriber(name).heard.find(({ message }) => message === 'hello')!.meta.id,
      );
      t.is(new Set(ids).size, 1, 'the same id everywhere');
    },
  },
  {
    title:
      'equal contents are two messages; those of one publisher keep their order along one path',
    async check(t, fixture) {
      await fixture.meet(NAMES.slice(0, 3));
      const sent = numbers(300).map((number) => String(Number(number) % 7));
      for (const word of sent) fixture.say('a', word);
      for (const name of ['b', 'c']) {
        await fixture.until(
          `${name} has read all messages`,
          () => fixture.words(name).length >= sent.length,
        );
        t.deepEqual(inOrder(fixture, fixture.words(name)), inOrder(fixture, sent), name);
      }
    },
  },
  {
    title:
      'a message may go to a list of recipients, or to all but a list; the others do not get it',
    async check(t, fixture) {
      await fixture.meet(NAMES);
      await fixture.acquainted('a', 3);
      const [a, b, c] = fixture.idsOf('a', 'b', 'c') as [string, string, string];
      t.deepEqual(await fixture.publish('a', 'to', { to: [b, c, b, a] }), { queued: 2 });
      const { queued } = await fixture.publish('a', 'except', { except: [b] });
      t.true(fixture.isMesh ? queued === 2 : queued <= 2);
      await fixture.heard('to', ['b', 'c']);
      await fixture.heard('except', ['c', 'd']);
      await fixture.publish('a', 'all');
      await fixture.heard('all', ['b', 'c', 'd']);
      const heard = Object.fromEntries(
        NAMES.map((name) => [name, [...fixture.words(name)].sort()]),
      );
      t.deepEqual(heard, {
        a: [],
        b: ['all', 'to'],
        c: ['all', 'except', 'to'],
        d: ['all', 'except'],
      });
      await t.throwsAsync(fixture.publish('a', 'both', { to: [], except: [] }), {
        instanceOf: TypeError,
        message: /exclude each other/,
      });
      await t.throwsAsync(fixture.publish('a', 'no id', { to: ['nobody'] }), {
        instanceOf: TypeError,
        message: /to: must be a list/,
      });
    },
  },
  {
    title: 'unknown recipients, and those not on the topic, are reported; the rest get the message',
    async check(t, fixture) {
      await fixture.meet(NAMES, { listens: (name) => name !== 'd' });
      await fixture.until('a has three peers', () => fixture.node('a').peers.list().length === 3);
      await fixture.acquainted('a', 2);
      const [b, c, d] = fixture.idsOf('b', 'c', 'd') as [string, string, string];
      const { queued, failed } = await fixture.publish('a', 'x', { to: [idOf('nobody'), b, d, c] });
      t.is(queued, 2);
      const codes = new Map(failed!.map(({ nodeId, error }) => [nodeId, error.code]));
      t.deepEqual(
        [...codes].sort(),
        [[idOf('nobody'), 'unavailable'] as const, [d, 'not_found'] as const].sort(),
      );
      await fixture.heard('x', ['b', 'c']);
      await t.throwsAsync(fixture.publish('a', 'y', { to: [d], min: 1 }), { code: 'unavailable' });
    },
  },
  {
    title:
      'readers get values of a schema or bytes, by codec; publishing a value that the codec refuses fails',
    async check(t, fixture) {
      const note = json(z.object({ text: z.string(), tags: z.array(z.string()) }));
      const notes: unknown[] = [];
      const blobs: Uint8Array[] = [];
      await fixture.meet(['a', 'b'], {
        setup({ name, gossip }) {
          if (name === 'a') return;
          gossip.topic('notes', note).subscribe((message) => notes.push(message));
          gossip.topic('blobs', bytes).subscribe((message) => blobs.push(message));
        },
      });
      const [notesOfA, blobsOfA] = [
        fixture.node('a').gossip.topic('notes', note),
        fixture.node('a').gossip.topic('blobs', bytes),
      ];
      const given = { text: 'ü\u0000\u{1f30d}', tags: ['x', ''] };
      const blob = Uint8Array.from({ length: 256 }, (_, i) => i);
      await fixture.settle(notesOfA.publish(given, { min: 1 }));
      await fixture.settle(blobsOfA.publish(blob, { min: 1 }));
      await fixture.until(
        'the messages of both topics have arrived',
        () => notes.length + blobs.length === 2,
      );
      t.deepEqual([notes, blobs], [[given], [blob]]);
      await t.throwsAsync(fixture.settle(notesOfA.publish({ text: 1, tags: [] } as never)), {
        code: 'invalid_argument',
      });
      await t.throwsAsync(fixture.settle(blobsOfA.publish('text' as never)), {
        code: 'invalid_argument',
      });
    },
  },
];
