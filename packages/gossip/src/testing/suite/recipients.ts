// Behaviors of delivery: which nodes get a message, and in which form.

import { bytes, isNodeId, json } from '@trunkline/transport-core';
import * as z from 'zod/mini';
import { idOf } from '../cluster.ts';
import { type Behavior, inOrder, numbers } from './scene.ts';

const NAMES = ['a', 'b', 'c', 'd'];

export const recipients: readonly Behavior[] = [
  {
    title: 'a message reaches every member of its topic but the publisher once, with its origin',
    async check(t, scene) {
      await scene.meet(NAMES);
      const { queued, failed } = await scene.publish('a', 'hello');
      t.true(scene.isMesh ? queued === 3 : queued >= 1 && queued <= 3);
      t.is(failed, undefined);
      const others = ['b', 'c', 'd'];
      await scene.heard('hello', others);
      // A second delivery would have happened by now.
      await scene.publish('a', 'later');
      await scene.heard('later', others);
      for (const name of others) {
        t.deepEqual(inOrder(scene, scene.words(name)), ['hello', 'later'], name);
        const { id, origin, from, hops, missed } = scene.ear(name).heard[0]!.meta;
        t.deepEqual([origin, missed, isNodeId(origin)], [scene.idOf('a'), 0, true]);
        t.true(
          id.length > 0 &&
            (scene.isMesh ? from === origin && hops === 1 : (from === origin) === (hops === 1)),
          `${name}: ${hops} hops`,
        );
      }
      t.deepEqual(scene.words('a'), [], 'its own');
      const ids = others.map(
        (name) => scene.ear(name).heard.find(({ message }) => message === 'hello')!.meta.id,
      );
      t.is(new Set(ids).size, 1, 'the same id everywhere');
    },
  },
  {
    title:
      'equal contents are two messages; those of one publisher keep their order along one path',
    async check(t, scene) {
      await scene.meet(NAMES.slice(0, 3));
      const sent = numbers(300).map((number) => String(Number(number) % 7));
      for (const word of sent) scene.say('a', word);
      for (const name of ['b', 'c']) {
        await scene.until(
          `${name} has read all messages`,
          () => scene.words(name).length >= sent.length,
        );
        t.deepEqual(inOrder(scene, scene.words(name)), inOrder(scene, sent), name);
      }
    },
  },
  {
    title:
      'a message may go to a list of recipients, or to all but a list; the others do not get it',
    async check(t, scene) {
      await scene.meet(NAMES);
      await scene.acquainted('a', 3);
      const [a, b, c] = ['a', 'b', 'c'].map((name) => scene.idOf(name)) as [string, string, string];
      t.deepEqual(await scene.publish('a', 'to', { to: [b, c, b, a] }), { queued: 2 });
      const { queued } = await scene.publish('a', 'except', { except: [b] });
      t.true(scene.isMesh ? queued === 2 : queued <= 2);
      await scene.heard('to', ['b', 'c']);
      await scene.heard('except', ['c', 'd']);
      await scene.publish('a', 'all');
      await scene.heard('all', ['b', 'c', 'd']);
      const heard = Object.fromEntries(NAMES.map((name) => [name, [...scene.words(name)].sort()]));
      t.deepEqual(heard, {
        a: [],
        b: ['all', 'to'],
        c: ['all', 'except', 'to'],
        d: ['all', 'except'],
      });
      await t.throwsAsync(scene.publish('a', 'both', { to: [], except: [] }), {
        instanceOf: TypeError,
        message: /exclude each other/,
      });
      await t.throwsAsync(scene.publish('a', 'no id', { to: ['nobody'] }), {
        instanceOf: TypeError,
        message: /to: must be a list/,
      });
    },
  },
  {
    title: 'unknown recipients, and those not on the topic, are reported; the rest get the message',
    async check(t, scene) {
      await scene.meet(NAMES, { listens: (name) => name !== 'd' });
      await scene.until('a has three peers', () => scene.node('a').peers.list().length === 3);
      await scene.acquainted('a', 2);
      const [b, c, d] = ['b', 'c', 'd'].map((name) => scene.idOf(name)) as [string, string, string];
      const { queued, failed } = await scene.publish('a', 'x', { to: [idOf('nobody'), b, d, c] });
      t.is(queued, 2);
      const codes = new Map(failed!.map(({ nodeId, error }) => [nodeId, error.code]));
      t.deepEqual(
        [...codes].sort(),
        [[idOf('nobody'), 'unavailable'] as const, [d, 'not_found'] as const].sort(),
      );
      await scene.heard('x', ['b', 'c']);
      await t.throwsAsync(scene.publish('a', 'y', { to: [d], min: 1 }), { code: 'unavailable' });
    },
  },
  {
    title:
      'readers get values of a schema or bytes, by codec; publishing a value that the codec refuses fails',
    async check(t, scene) {
      const note = json(z.object({ text: z.string(), tags: z.array(z.string()) }));
      const notes: unknown[] = [];
      const blobs: Uint8Array[] = [];
      await scene.meet(['a', 'b'], {
        setup({ name, gossip }) {
          if (name === 'a') return;
          gossip.topic('notes', note).subscribe((message) => notes.push(message));
          gossip.topic('blobs', bytes).subscribe((message) => blobs.push(message));
        },
      });
      const [notesOfA, blobsOfA] = [
        scene.node('a').gossip.topic('notes', note),
        scene.node('a').gossip.topic('blobs', bytes),
      ];
      const given = { text: 'ü\u0000\u{1f30d}', tags: ['x', ''] };
      const blob = Uint8Array.from({ length: 256 }, (_, i) => i);
      await scene.settle(notesOfA.publish(given, { min: 1 }));
      await scene.settle(blobsOfA.publish(blob, { min: 1 }));
      await scene.until(
        'the messages of both topics have arrived',
        () => notes.length + blobs.length === 2,
      );
      t.deepEqual([notes, blobs], [[given], [blob]]);
      await t.throwsAsync(scene.settle(notesOfA.publish({ text: 1, tags: [] } as never)), {
        code: 'invalid_argument',
      });
      await t.throwsAsync(scene.settle(blobsOfA.publish('text' as never)), {
        code: 'invalid_argument',
      });
    },
  },
];
