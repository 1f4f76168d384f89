// Floods: many cheap frames that cost the victim work. The victim answers some floods, slows others
// down, and disconnects the rest.

import type { Attack, AttackRun } from '../attack.ts';
import type { AttackerConnection } from '../attacker-connection.ts';
import { WEB_SOCKETS } from '../carriers.ts';
import { CHANNEL, Method } from '../methods.ts';
import { block, concat, frame, Kind, number, repeat, text } from '../wire.ts';

const request = (id: number, method: number, payload: Uint8Array) =>
  frame({ kind: Kind.request, id, channel: CHANNEL, method, payload });

/** The memory of 4,096 running handlers: each has a signal, a promise and a timer. */
const HANDLERS = 32 * 1024 * 1024;

export const floods: readonly Attack[] = [
  flood({
    name: 'flood-undecodable',
    title: 'sends 1 MB/s of calls whose JSON is "{"',
    cases: [46],
    rate: 1_000_000,
    answer: /^(ERROR 3|GO_AWAY 8\/13)$/,
    chunk: (first) => requests(first, 500, (id) => request(id, Method.strings, text('{'))),
  }),
  flood({
    name: 'flood-unimplemented',
    title: 'sends 1 MB/s of calls of a method that does not exist',
    cases: [46],
    rate: 1_000_000,
    answer: /^(ERROR 12|GO_AWAY 8\/13)$/,
    chunk: (first) => requests(first, 500, (id) => request(id, 99, new Uint8Array(0))),
  }),
  flood({
    name: 'flood-no-channel',
    title: 'calls channels without a mounted protocol, as fast as it can',
    cases: [11, 46],
    answer: /^(ERROR 12|GO_AWAY 8\/13)$/,
    chunk: (first) =>
      requests(first, 500, (id) =>
        frame({ kind: Kind.request, id, channel: 0x40 + (id & 63), method: 1 }),
      ),
  }),
  flood({
    name: 'rapid-reset',
    title: 'opens and cancels calls, as fast as it can',
    cases: [45],
    memory: HANDLERS,
    // It is disconnected if it reads its refusals too slowly (docs/wire-protocol.md §11).
    answer: /^(ERROR (1|8)|GO_AWAY 8\/13)$/,
    chunk: (first) =>
      requests(first, 500, (id) =>
        concat(
          frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.hold }),
          frame({ kind: Kind.cancel, id }),
        ),
      ),
  }),
  flood({
    name: 'rapid-reset-17k',
    title: 'opens and cancels 17,000 calls a second',
    cases: [45],
    memory: HANDLERS,
    rate: 17_000 * 21,
    answer: /^(ERROR (1|8))$/,
    chunk: (first) =>
      requests(first, 200, (id) =>
        concat(
          frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.hold }),
          frame({ kind: Kind.cancel, id }),
        ),
      ),
  }),
  flood({
    name: 'flood-calls',
    title: 'makes valid small calls as fast as it can, and reads the answers',
    cases: [6],
    // It is disconnected if it reads its refusals too slowly (docs/wire-protocol.md §11).
    answer: /^(nothing|ERROR 8|GO_AWAY 8\/13)$/,
    chunk: (first) => requests(first, 500, (id) => request(id, Method.echo, new Uint8Array(8))),
  }),
  flood({
    name: 'flood-reflection',
    title: 'asks for the description of a protocol as fast as it can, and reads the answers',
    cases: [6],
    carriers: ['tcp'],
    victim: { reflection: true },
    answer: /^(nothing|ERROR 8|GO_AWAY 8\/13)$/,
    chunk: (first) =>
      requests(first, 500, (id) =>
        frame({ kind: Kind.request, id, channel: REFLECTION, method: 2, payload: DESCRIBE }),
      ),
  }),
  flood({
    name: 'flood-json-at-limit',
    title: 'calls with 32,767 numbers where strings are expected, as fast as it can',
    cases: [34, 46],
    memory: HANDLERS,
    answer: /^(ERROR 3|GO_AWAY 8\/13)$/,
    chunk: (first) => request(first, Method.strings, JSON_AT_LIMIT),
  }),
  flood({
    name: 'flood-protobuf-at-limit',
    title: 'calls with 8,192 empty messages in a list, as fast as it can',
    cases: [36, 46],
    memory: HANDLERS,
    answer: /^(nothing|ERROR [38]|GO_AWAY 8\/13)$/,
    chunk: (first) => request(first, Method.lists, PROTOBUF_AT_LIMIT),
  }),
  flood({
    name: 'flood-ping',
    title: 'sends PINGs as fast as it can',
    cases: [47],
    answer: /^GO_AWAY 8\/13$/,
    chunk: () => PINGS,
  }),
  flood({
    name: 'flood-pong',
    title: 'sends PONGs that were not requested',
    cases: [13],
    answer: /^(nothing|GO_AWAY 8\/13)$/,
    chunk: () => PONGS,
  }),
  flood({
    name: 'flood-skipped',
    title: 'sends frames of kinds that the receiver skips',
    cases: [4, 9],
    answer: /^GO_AWAY 8\/13$/,
    chunk: () => SKIPPED,
  }),
  flood({
    name: 'flood-end',
    title: 'ends streams of calls that have ended',
    cases: [13],
    answer: /^(nothing|GO_AWAY 8\/13)$/,
    chunk: () => ENDS,
  }),
  flood({
    name: 'flood-credit',
    title: 'grants credit byte by byte',
    cases: [22],
    answer: /^(nothing|GO_AWAY 8\/13)$/,
    chunk: () => CREDITS,
  }),
  flood({
    name: 'flood-cancel',
    title: 'cancels calls that were never made',
    cases: [45],
    answer: /^nothing$/,
    chunk: () => CANCELS,
  }),
  flood({
    name: 'flood-protocols',
    title: 'changes its list of 64 protocols as fast as it can',
    cases: [46],
    answer: /^(nothing|GO_AWAY 8\/13)$/,
    chunk: () => PROTOCOLS,
  }),
  flood({
    name: 'flood-metadata',
    title: 'makes small calls with 8 KiB of metadata in 1,000 entries',
    cases: [],
    answer: /^(nothing|ERROR 8|GO_AWAY 8\/13)$/,
    chunk: () => METADATA,
  }),
  {
    name: 'flood-tiny-messages',
    title: 'sends valid calls in WebSocket messages of one byte',
    cases: [5],
    carriers: WEB_SOCKETS,
    rounds: 20,
    answer: /^(nothing|cut|close \d+|GO_AWAY 8\/13)$/,
    async run(run) {
      const attacker = await run.admitted();
      // Sends frames of one byte in one write, each with a header of six bytes.
      const call = request(1, Method.echo, new Uint8Array(8));
      const socket = attacker.socket;
      const bytes = concat(
        ...Array.from(repeat(call, 50), (byte) => Uint8Array.of(0x82, 0x81, 0, 0, 0, 0, byte)),
      );
      while (run.goesOn() && !attacker.isOver)
        if (!socket.write(bytes)) await attacker.line.drained();
      return attacker.outcome();
    },
  },
  {
    name: 'flood-empty-messages',
    title: 'sends empty WebSocket messages, on one connection after the other',
    cases: [4],
    carriers: WEB_SOCKETS,
    answer: /^(cut|close \d+|GO_AWAY 8\/13)$/,
    async run(run) {
      const bytes = repeat(Uint8Array.of(0x82, 0x80, 0, 0, 0, 0), 5_000);
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.admitted();
        const { socket, line } = attacker;
        for (let at = 0; at < 20 && !attacker.isOver; at++)
          if (!socket.write(bytes)) await line.drained();
        answer = await attacker.over();
        attacker.destroy();
      }
      return answer;
    },
  },
  {
    name: 'flood-empty-records',
    title: 'sends noise records of one byte',
    cases: [5],
    carriers: ['noise'],
    rounds: 5,
    answer: /^(nothing|cut|GO_AWAY 8\/13)$/,
    async run(run) {
      const attacker = await run.admitted();
      const bytes = repeat(frame({ kind: Kind.cancel, id: 1 }), 100);
      while (run.goesOn() && !attacker.isOver)
        for (const byte of bytes) await attacker.push(Uint8Array.of(byte));
      return attacker.outcome();
    },
  },
];

interface Flood extends Pick<Attack, 'carriers' | 'victim' | 'bound'> {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly number[];
  readonly answer: RegExp;
  readonly memory?: number;
  /** Bytes a second in a long run. Default: as fast as the victim reads them. */
  readonly rate?: number;
  /** Returns the frames of one round; `first` is a call id that has not been used. */
  readonly chunk: (first: number) => Uint8Array;
}

/**
 * A flood over one connection at a time: when the victim disconnects the attacker, it connects
 * again at once. The victim also disconnects an attacker that reads its refusals more slowly than
 * it causes them; such an attacker may not get the GO_AWAY.
 */
function flood({ chunk, rate, answer, ...rest }: Flood): Attack {
  return {
    // The refusals that the victim may queue.
    memory: 16 * 1024 * 1024,
    ...rest,
    answer: new RegExp(`${answer.source}|^(cut|ended)$`),
    rounds: 30,
    async run(run) {
      let attacker = await run.admitted();
      let answer = attacker.outcome();
      for (let first = 1; run.goesOn(); first += 2_000) {
        if (attacker.isOver || attacker.goAway !== undefined) {
          if (!attacker.isOver) await attacker.over();
          answer = attacker.outcome();
          // A short run needs only the first answer.
          if (run.isShort) return answer;
          attacker = await run.admitted();
        }
        const bytes = chunk(first % 0x7fff_0001);
        await attacker.push(bytes);
        if (rate !== undefined) await run.paced(bytes.length, rate);
      }
      return finish(attacker, run, answer);
    },
  };
}

async function finish(
  attacker: AttackerConnection,
  _run: AttackRun,
  answer: string,
): Promise<string> {
  await attacker.settled();
  if (attacker.goAway !== undefined) await attacker.over();
  return answer === 'nothing' || attacker.goAway !== undefined ? attacker.outcome() : answer;
}

function requests(first: number, count: number, make: (id: number) => Uint8Array): Uint8Array {
  return concat(...Array.from({ length: count }, (_, at) => make(first + 2 * at)));
}

/** The channel of `trunkline.reflection`, and the request of its method `describe`. */
const REFLECTION = 0x05;
const DESCRIBE = text('{"protocol":"hostile.lab"}');
const JSON_AT_LIMIT = text(`[${'1,'.repeat(32_766)}1]`);
const PROTOBUF_AT_LIMIT = repeat(Uint8Array.of(0x1a, 0), 8_192);
const PINGS = repeat(frame({ kind: Kind.ping, id: 7 }), 1_000);
const PONGS = repeat(frame({ kind: Kind.pong, id: 7 }), 1_000);
const SKIPPED = repeat(frame({ kind: 40 }), 1_000);
const ENDS = repeat(frame({ kind: Kind.end, id: 1 }), 1_000);
const CREDITS = repeat(
  frame({ kind: Kind.credit, account: 2, channel: CHANNEL, credit: 1 }),
  1_000,
);
const CANCELS = repeat(frame({ kind: Kind.cancel, id: 1 }), 1_000);
const PROTOCOLS = repeat(
  frame({
    kind: Kind.protocols,
    hello: concat(
      ...Array.from({ length: 64 }, (_, at) =>
        block(8, concat(block(1, `p${at}`), number(2, 1), number(4, at + 100))),
      ),
    ),
  }),
  20,
);
const ENTRIES = Array.from({ length: 1_000 }, (_, at) => [`k${at}`, 'v'] as const);
const METADATA = requests(1, 20, (id) =>
  frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.echo, metadata: ENTRIES }),
);
