// Tests of messages to any members of a topic.

import { TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import type { Publication } from './publications.ts';
import { type DirectSender, sendToAny } from './recipients.ts';

test('a member that fails twice is replaced once', (t) => {
  const sent: string[] = [];
  let lose: (() => void) | undefined;
  let publication: Publication | undefined;
  const sender = {
    key: { hex: '00' },
    isOver: false,
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
    track: (tracked: Publication) => void (publication = tracked),
    look: () => {},
  } as unknown as DirectSender;
  const make = (nodes: readonly string[]) => {
    const body: Body = { audience: 'to', nodes, payload: new Uint8Array(), message: undefined };
    return { id: { origin: 'me', epoch: 1, sequence: sent.length }, body };
  };
  void sendToAny(sender, make, 1, { min: 1, timeout: 1_000 });
  const [first] = sent as [string];
  lose!();
  t.is(sent.length, 2, 'its message has not left');
  publication!.lost(first, new TransportError('unavailable', 'its connection is lost'));
  t.is(sent.length, 2);
});
