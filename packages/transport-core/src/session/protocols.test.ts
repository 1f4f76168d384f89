// Tests the version of a protocol on which both ends agree.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import type { HelloProtocol } from '../wire/hello.ts';
import { agree } from './channels.ts';

const protocol = (version: number, accepts: number[] = [], name = 'raft', channel = 0x20) =>
  defineProtocol({
    name,
    version,
    accepts,
    channel,
    methods: { vote: { id: 1, request: bytes, response: bytes } },
  });
const told = (
  version: number,
  accepts: number[] = [],
  name = 'raft',
  channel = 0x20,
): HelloProtocol => ({ name, version, accepts, channel });

test('the version is the highest that both know, and both ends compute the same', (t) => {
  for (const [ours, theirs, expected] of [
    [[1, []], [1, []], 1],
    [[2, [1]], [1, []], 1],
    [[2, [1, 0]], [3, [1, 0]], 1],
    [[3, [1]], [2, [3]], 3],
    [[1, [5]], [5, [1]], 5],
    [[0, []], [4, [0]], 0],
  ] as [[number, number[]], [number, number[]], number][]) {
    t.is(agree(protocol(...ours), [told(...theirs)]), expected);
    t.is(agree(protocol(...theirs), [told(...ours)]), expected);
  }
});

test('no common version gives failed_precondition with the versions of both ends', (t) => {
  const error = agree(protocol(3, [2]), [told(1, [0])]);
  t.true(error instanceof TransportError);
  const { code, reason, message } = error as TransportError;
  t.deepEqual([code, reason], ['failed_precondition', 'version_mismatch']);
  t.regex(message, /'raft'.*3, 2.*1, 0/);
});

test('the same name on another channel is failed_precondition, and so is another name on the same channel', (t) => {
  const moved = agree(protocol(1), [told(1, [], 'raft', 0x21)]) as TransportError;
  t.deepEqual([moved.code, moved.reason], ['failed_precondition', 'channel_mismatch']);
  t.regex(moved.message, /channel 32 at one end and 33/);
  const squatted = agree(protocol(1), [told(1, [], 'gossip', 0x20)]) as TransportError;
  t.deepEqual([squatted.code, squatted.reason], ['failed_precondition', 'channel_mismatch']);
  t.regex(squatted.message, /'raft'.*'gossip'/);
});

test('a protocol that the peer does not list is requested all the same', (t) => {
  t.is(agree(protocol(4), []), 4);
  t.is(agree(protocol(4), [told(1, [], 'gossip', 0x21)]), 4);
});
