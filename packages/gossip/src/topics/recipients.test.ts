// Tests of messages to a list of nodes, and to any members of a topic.

import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import type { Publication } from './publications.ts';
import { Publisher } from './publisher.ts';
import { type DirectSender, sendToAny } from './publisher.ts';
import type { TopicContext } from './topic-context.ts';

test('a member that fails twice is replaced once', (t) => {
  const sent: string[] = [];
  let lose: (() => void) | undefined;
  let publication: Publication | undefined;
  const topic = {
    key: { hex: '00' },
    node: {
      clock: { now: () => 0 },
      random: seededRandom(1),
      members: { interested: () => ['a', 'b', 'c'] },
      isDistrusted: () => false,
    },
    push(to: string, _: unknown, lost: () => void) {
      sent.push(to);
      lose ??= lost;
    },
  } as unknown as TopicContext;
  const sender: DirectSender = {
    isOver: false,
    arrival: () => Promise.resolve(false),
    track: (tracked: Publication) => void (publication = tracked),
    look: () => {},
  };
  const make = (nodes: readonly string[]) => {
    const body: Body = { audience: 'to', nodes, payload: new Uint8Array(), message: undefined };
    return { id: { origin: 'me', epoch: 1, sequence: sent.length }, body };
  };
  void sendToAny(topic, sender, make, 1, { min: 1, timeout: 1_000 });
  const [first] = sent as [string];
  lose!();
  t.is(sent.length, 2, 'its message has not left');
  publication!.lost(first, new TransportError('unavailable', 'its connection is lost'));
  t.is(sent.length, 2);
});

test('a message that is sent to its whole list at once leaves nothing to wake up for', async (t) => {
  const dues: number[] = [];
  const topic = {
    key: { hex: '00' },
    limit: 100,
    epoch: () => 1,
    takes: () => true,
    push: () => undefined,
    node: {
      self: 'me',
      longest: 100,
      isStarted: true,
      overlay: { receipts: 5 },
      signatures: { checkPublisher: () => {}, sign: () => undefined },
      clock: { now: () => 0 },
      members: { isOn: () => true },
      relay: () => false,
      dueBy: (time: number) => dues.push(time),
    },
  } as unknown as TopicContext;
  const publisher = new Publisher(topic);
  const publish = (min: number) =>
    publisher.publish(new Uint8Array(1), {
      to: ['a'],
      except: undefined,
      any: undefined,
      min,
      timeout: 500,
    });
  t.deepEqual(await publish(0), { queued: 1 });
  t.deepEqual(dues, []);
  void publish(1);
  t.deepEqual(dues, [500]);
});
