// Fuzzes the greeting of Noise: an input consists of the bytes that the other end sends, beginning
// with its preamble. The greeting must not throw, and only the other end's own bytes, unaltered,
// may lead to a channel with it.

import type { Random } from '@trunkline/transport-core';
import { suite } from '../primitives.node.ts';
import type { SecureChannel } from '../wire/greeting.ts';
import { ada, bob, greet, greeting } from './greetings.ts';

const { said } = greet(
  greeting({ suite, role: 'initiator' }),
  greeting({ suite, role: 'responder' }),
);
const toResponder = Uint8Array.of(...said.first, ...said.third);
const toInitiator = said.second;

/** The first byte selects which end reads (bit 0) and the size of the pieces. */
export const target = {
  run(input: Uint8Array): void {
    const isInitiator = ((input[0] ?? 0) & 1) !== 0;
    const size = (input[0] ?? 0) >>> 1 || 10_000;
    const bytes = input.subarray(1);
    const end = greeting({ suite, role: isInitiator ? 'initiator' : 'responder' });
    if (isInitiator) end.begin();
    let channel: SecureChannel | undefined;
    let isOver = false;
    for (let at = 0; at < bytes.length && !isOver; at += size) {
      let step = end.receive(bytes.subarray(at, at + size));
      while (step !== undefined) {
        if (isOver) throw new Error('it made a step after its last');
        channel = step.done ?? channel;
        isOver = step.done !== undefined || step.failed !== undefined;
        if (step.failed?.text === '') throw new Error('it failed without a word');
        step = end.receive(NOTHING);
      }
    }
    const honest = isInitiator ? toInitiator : toResponder;
    const isHonest = honest.every((byte, i) => byte === bytes[i]);
    if (channel !== undefined && !isHonest)
      throw new Error('bytes that were altered lead to a channel');
    if (channel === undefined && isHonest) throw new Error('unaltered bytes lead to no channel');
    if (channel !== undefined && channel.nodeId !== (isInitiator ? bob : ada).nodeId)
      throw new Error(`it proved to be ${channel.nodeId}`);
  },

  *seeds(): Iterable<Uint8Array> {
    for (const size of [0, 2, 14, 100]) {
      yield Uint8Array.of(size, ...toResponder);
      yield Uint8Array.of(size + 1, ...toInitiator);
    }
    yield Uint8Array.of(0, ...said.first, ...said.first);
    yield Uint8Array.of(1, ...said.first);
  },

  /** Alters one bit of an honest handshake. */
  make(random: Random): Uint8Array {
    const below = (limit: number) => Math.floor(random() * limit);
    const bytes =
      below(2) === 0
        ? Uint8Array.of(2 * below(128), ...toResponder)
        : Uint8Array.of(1 + 2 * below(128), ...toInitiator);
    bytes[1 + below(bytes.length - 1)]! ^= 1 << below(8);
    return bytes;
  },

  most: 1_200,
};

const NOTHING = new Uint8Array(0);
