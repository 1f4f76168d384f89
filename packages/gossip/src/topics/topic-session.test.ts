// Tests of a topic whose overlay is played by the test: how its outputs affect publishers.

import { bytes, type TransportError } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { MessageId } from '../messages/message-id.ts';
import type { OverlayInput, OverlayOutput, OverlaySetup } from '../overlay/overlay.ts';
import { topicKey } from '../protocol.ts';
import type { Envelope } from '../wire/frame.ts';
import { topicOptions } from './options.ts';
import { TopicSession } from './topic-session.ts';

type Played = (input: OverlayInput) => readonly OverlayOutput[];

/** Opens a topic; `play` returns the outputs that its overlay has for an input. */
function topicOf(play: Played) {
  const outputs: OverlayOutput[] = [];
  const overlay = {
    handle: (_: number, input: OverlayInput) => void outputs.push(...play(input)),
    poll: () => outputs.shift(),
    neighbors: () => ['a', 'b'],
    takesFrom: () => true,
    passesOn: true,
    wakeAt: Number.POSITIVE_INFINITY,
  };
  let setup: OverlaySetup;
  const create = (given: OverlaySetup) => {
    setup = given;
    return overlay;
  };
  const node = {
    self: 'me',
    longest: 100,
    isStarted: true,
    clock: { now: () => 0 },
    events: { tell: () => {} },
    overlay: { name: 'tree', memory: { origins: 10, gaps: 8 }, receipts: 5, create },
    signatures: { checkPublisher: () => {}, sign: () => undefined },
    members: {
      pending: () => [],
      interested: () => [],
      isOn: () => true,
      tryPush: () => undefined,
      control: () => true,
      terms: () => {},
    },
    epoch: () => 1,
    latestLife: () => 1,
    isKept: false,
    isDistrusted: () => false,
    neighbor: () => {},
    dueBy: () => {},
  };
  const config = parseOptions(topicOptions, { publishOnly: true }, 'topic');
  const session = new TopicSession(topicKey('news'), bytes, config, node as never);
  session.join();
  const options = { to: undefined, except: undefined, any: undefined, timeout: 1_000 };
  const publish = async (min: number) =>
    session.publisher.publish(new Uint8Array(5), { ...options, min });
  return { session, publish, look: (id: MessageId) => setup.look(id, 0) };
}

const handed = (...to: string[]): OverlayOutput => ({ type: 'handed', to });

test('a neighbor that appears during a publish is offered waiting messages only after it', async (t) => {
  const log: string[] = [];
  const { publish } = topicOf((input) => {
    if (input.type === 'publish') {
      log.push(`publish ${input.message.id.sequence}`);
      const isFirst = input.message.id.sequence === 0;
      return isFirst ? [handed()] : [{ type: 'neighbor-up', peer: 'b' }, handed('a')];
    }
    if (input.type !== 'offer') return [];
    log.push(`offer ${input.message.id.sequence} to ${input.peer}`);
    return [handed(input.peer)];
  });
  void publish(1);
  t.deepEqual(await publish(0), { queued: 1 });
  t.deepEqual(log, ['publish 0', 'publish 1', 'offer 0 to b']);
});

test('a message that is too large for the only neighbor is not queued, and the result says so', async (t) => {
  const { session, publish } = topicOf((input) => {
    if (input.type !== 'offer') return input.type === 'publish' ? [handed()] : [];
    const { message, peer } = input;
    return [{ type: 'push', to: peer, push: message, isAsked: false }, handed(peer)];
  });
  session.differences.announced('b', { overlay: 'tree', limit: 4 }, 0);
  const publishing = publish(1);
  session.publisher.neighborUp('b');
  session.publisher.wake(1_000);
  const error = await t.throwsAsync<TransportError>(publishing);
  t.like(error, { code: 'deadline_exceeded', sent: false });
  t.like(error?.cause, { reason: 'too_large', target: 'b' });
});

test('a message that was refused is no longer new to the overlay, so that a notice of it is not followed', (t) => {
  const { session, look } = topicOf(() => []);
  const id = { origin: 'x', epoch: 1, sequence: 1 };
  t.is(look(id), 'new');
  const body = { audience: 'all', nodes: [], payload: new Uint8Array(101), hops: 1 };
  session.incoming.inspect('x', { id, ...body } as unknown as Envelope, 0);
  t.is(look(id), 'old');
});
