// Frames that break the protocol: the victim answers each with a GO_AWAY or skips it, and trusts
// none.

import { type Attack, messageAttack } from '../attack.ts';
import type { AttackerConnection } from '../attacker-connection.ts';
import { CHANNEL, Method } from '../methods.ts';
import { concat, delimited, frame, Kind, repeat, varint } from '../wire.ts';

const echo = (id: number, payload = new Uint8Array(8)) =>
  frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.echo, payload });

export const frames: readonly Attack[] = [
  messageAttack({
    name: 'frame-too-long',
    title: 'announces a frame of 256 MiB and sends none of it',
    cases: [2],
    answer: /^GO_AWAY 8\/14$/,
    message: () => Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
  }),
  messageAttack({
    name: 'length-of-five-bytes',
    title: 'sends a length that needs a fifth byte',
    cases: [3],
    answer: /^GO_AWAY 13\/12$/,
    message: () => varint(0xffff_ffff),
  }),
  messageAttack({
    name: 'zero-length',
    title: 'sends an empty frame',
    cases: [4],
    answer: /^GO_AWAY 13\/12$/,
    message: () => new Uint8Array(1),
  }),
  messageAttack({
    name: 'byte-by-byte',
    title: 'sends a call in single bytes, each as a packet or message of its own',
    cases: [5],
    answer: /^answered$/,
    async message(attacker) {
      for (const byte of echo(1)) await attacker.push(Uint8Array.of(byte));
      await answered(attacker, 1);
    },
  }),
  messageAttack({
    name: 'many-in-one-chunk',
    title: 'sends 1,000 calls in one piece',
    cases: [6],
    answer: /^answered$/,
    async message(attacker) {
      await attacker.push(concat(...Array.from({ length: 1_000 }, (_, at) => echo(2 * at + 1))));
      await answered(attacker, 1_000);
    },
  }),
  messageAttack({
    name: 'kind-reserved',
    title: 'sends a frame of a reserved kind',
    cases: [9],
    answer: /^GO_AWAY 13\/12$/,
    message: () => frame({ kind: 16 }),
  }),
  messageAttack({
    name: 'kind-zero',
    title: 'sends a frame without a kind',
    cases: [9],
    answer: /^GO_AWAY 13\/12$/,
    message: () => frame({ kind: 0, id: 1 }),
  }),
  messageAttack({
    name: 'kind-optional',
    title: 'sends a frame of an unknown kind that receivers skip',
    cases: [9],
    answer: /^nothing$/,
    message: () => frame({ kind: 32 }),
  }),
  messageAttack({
    name: 'flags-unknown',
    title: 'sets unknown flags',
    cases: [10],
    answer: /^GO_AWAY 13\/12$/,
    message: () =>
      frame({ kind: Kind.request, id: 1, channel: CHANNEL, method: Method.echo, flags: 4 }),
  }),
  messageAttack({
    name: 'channel-out-of-range',
    title: 'calls channel 288, which would be 32 in a byte',
    cases: [11],
    answer: /^ERROR 12$/,
    message: () =>
      frame({ kind: Kind.request, id: 1, channel: 256 + CHANNEL, method: Method.echo }),
  }),
  messageAttack({
    name: 'id-twice',
    title: 'opens two calls with one id',
    cases: [12],
    answer: /^answered$/,
    async message(attacker) {
      const hold = frame({ kind: Kind.request, id: 1, channel: CHANNEL, method: Method.hold });
      await attacker.push(concat(hold, hold, echo(3)));
      await answered(attacker, 1);
    },
  }),
  messageAttack({
    name: 'id-of-the-other-end',
    title: 'opens a call with an id that belongs to the other end',
    cases: [12],
    answer: /^GO_AWAY 13\/12$/,
    message: () => echo(2),
  }),
  messageAttack({
    name: 'answers-never-asked',
    title: 'answers 100 calls that were never made',
    cases: [13],
    answer: /^nothing$/,
    message: () =>
      concat(
        ...Array.from({ length: 100 }, (_, at) => frame({ kind: Kind.response, id: 2 * at + 2 })),
      ),
  }),
  messageAttack({
    name: 'answers-never-asked-flood',
    title: 'answers 4,000 calls that were never made',
    cases: [13],
    answer: /^GO_AWAY 8\/13$/,
    message: () => repeat(frame({ kind: Kind.response, id: 2 }), 4_000),
  }),
  messageAttack({
    name: 'hello-twice',
    title: 'sends a second READY',
    cases: [17],
    answer: /^GO_AWAY 13\/12$/,
    message: () => frame({ kind: Kind.ready }),
  }),
  messageAttack({
    name: 'credit-zero',
    title: 'grants a credit of 0',
    cases: [22],
    answer: /^GO_AWAY 13\/12$/,
    message: () => frame({ kind: Kind.credit, account: 1 }),
  }),
  messageAttack({
    name: 'credit-overflow',
    title: 'raises an account above 2^31 - 1',
    cases: [22],
    answer: /^GO_AWAY 13\/12$/,
    message: () => repeat(frame({ kind: Kind.credit, account: 1, credit: 0x7fff_ffff }), 2),
  }),
  messageAttack({
    name: 'stream-exceeded',
    title: 'streams to a slow reader without waiting for credit',
    cases: [21],
    // The attacker is still sending, so the reset may overtake the reason.
    answer: /^(GO_AWAY 13\/12|cut)$/,
    memory: 2 * 1024 * 1024,
    message: () =>
      concat(
        frame({ kind: Kind.request, id: 1, channel: CHANNEL, method: Method.upload, flags: 1 }),
        repeat(frame({ kind: Kind.item, id: 1, payload: new Uint8Array(16_384) }), 100),
      ),
  }),
  messageAttack({
    name: 'short-exceeded',
    title: 'sends one-ways without waiting for credit',
    cases: [21],
    victim: { limits: { credit: { inbox: 1024 * 1024 } } },
    // The attacker is still sending, so the reset may overtake the reason.
    answer: /^(GO_AWAY 13\/12|cut)$/,
    // Each handler keeps its request for a second, also when its connection is lost: 1 MiB for each
    // of up to 50 connections a second.
    memory: 50 * 1024 * 1024,
    bound: {
      milliseconds: 25,
      reason:
        'until the credit is exceeded, 512 handlers start at once on each of 30 connections a second',
    },
    message: () =>
      repeat(
        frame({
          kind: Kind.oneway,
          channel: CHANNEL,
          method: Method.note,
          payload: new Uint8Array(1_024),
        }),
        4_000,
      ),
  }),
  messageAttack({
    name: 'part-one-byte',
    title: 'sends a long message in parts of one byte',
    cases: [19],
    answer: /^GO_AWAY 13\/12$/,
    message: () =>
      concat(
        frame({
          kind: Kind.request,
          id: 1,
          channel: CHANNEL,
          method: Method.size,
          size: 1_000_000,
          payload: new Uint8Array(65_536),
        }),
        repeat(frame({ kind: Kind.part, id: 1, payload: new Uint8Array(1) }), 1_000),
      ),
  }),
  messageAttack({
    name: 'size-over-the-limit',
    title: 'announces a message of 2 GiB',
    cases: [2],
    answer: /^GO_AWAY 8\/14$/,
    message: () =>
      frame({
        kind: Kind.request,
        id: 1,
        channel: CHANNEL,
        method: Method.size,
        size: 0x7fff_ffff,
        payload: new Uint8Array(65_536),
      }),
  }),
  messageAttack({
    name: 'field-of-another-type',
    title: 'sends a field with the wrong wire type',
    cases: [],
    answer: /^GO_AWAY 13\/12$/,
    message: () => delimited(Uint8Array.of(0x0a, 1, 8)),
  }),
  messageAttack({
    name: 'field-cut',
    title: 'ends a frame inside a field',
    cases: [],
    answer: /^GO_AWAY 13\/12$/,
    message: () => delimited(Uint8Array.of(0x08, 8, 0x7a, 100, 1)),
  }),
  messageAttack({
    name: 'integer-too-large',
    title: 'sends an integer of 2^32',
    cases: [],
    answer: /^GO_AWAY 13\/12$/,
    message: () => delimited(concat(Uint8Array.of(0x08, 8, 0x18), varint(2 ** 32))),
  }),
  messageAttack({
    name: 'metadata-too-large',
    title: 'sends 9 KiB of metadata',
    cases: [],
    answer: /^GO_AWAY 13\/12$/,
    message: () =>
      frame({
        kind: Kind.request,
        id: 1,
        channel: CHANNEL,
        method: Method.echo,
        metadata: [['k', 'v'.repeat(9_000)]],
      }),
  }),
];

/** Waits for so many responses, and records them as the most frequent answer. */
async function answered(attacker: AttackerConnection, responses: number): Promise<void> {
  await attacker.until(() => attacker.count(Kind.response) >= responses);
  if (attacker.count(Kind.response) >= responses) attacker.answers.set('answered', 1_000_000);
}
