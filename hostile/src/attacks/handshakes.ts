// Attacks before and around the hello: bytes of another protocol, hellos that break a rule, and
// connections that never complete.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackRun } from '../attack.ts';
import type { AttackerConnection } from '../attacker-connection.ts';
import { reset } from '../carriers.ts';
import { CHANNEL, Method } from '../methods.ts';
import {
  block,
  concat,
  frame,
  type HelloFields,
  hello,
  Kind,
  number,
  PREAMBLE,
  text,
} from '../wire.ts';

export const handshakes: readonly Attack[] = [
  opening('random-bytes', 'begins with random bytes', [1], /^(ended|cut) without a byte$/, () =>
    concat(Uint8Array.of(0), randomBytes(4_096)),
  ),
  opening('http-request', 'begins with an HTTP request', [1], /^(ended|cut) without a byte$/, () =>
    text('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  ),
  opening(
    'tls-hello',
    'begins with a TLS hello inside the carrier',
    [1],
    /^(ended|cut) without a byte$/,
    () => concat(Uint8Array.of(0x16, 3, 1, 2, 0), randomBytes(512)),
  ),
  opening('call-first', 'calls before its hello', [17], /^GO_AWAY 13\/12$/, () =>
    concat(PREAMBLE, call()),
  ),
  opening('call-before-ready', 'calls between its hello and READY', [17], /^GO_AWAY 13\/12$/, () =>
    concat(greeting({}), call()),
  ),
  opening('wire-version', 'speaks version 9 of the wire', [18], /^GO_AWAY 9\/5$/, () =>
    greeting({ wire: 9 }),
  ),
  opening('other-network', 'belongs to another network', [18], /^GO_AWAY 9\/4$/, () =>
    greeting({ network: 'another' }),
  ),
  opening('hello-too-long', 'announces a hello of 32 KiB', [2], /^GO_AWAY 8\/14$/, () =>
    concat(PREAMBLE, Uint8Array.of(0x80, 0x80, 2)),
  ),
  opening('hello-of-17-kib', 'sends a hello of 17 KiB', [2], /^GO_AWAY 13\/12$/, () =>
    greeting({ raw: block(99, new Uint8Array(17_000)) }),
  ),
  opening('hello-many-protocols', 'lists 65 protocols', [], /^GO_AWAY 13\/12$/, () =>
    greeting({
      protocols: Array.from({ length: 65 }, (_, at) => ({
        name: `p${at}`,
        version: 1,
        channel: at + 100,
      })),
    }),
  ),
  opening('hello-text', 'sends an agent text of 2 KiB', [], /^GO_AWAY 13\/12$/, () =>
    greeting({ agent: 'a'.repeat(2_048) }),
  ),
  opening(
    'hello-bad-utf8',
    'sends a network name that is not UTF-8',
    [30],
    /^GO_AWAY 13\/12$/,
    () => greeting({ raw: block(4, Uint8Array.of(0xff)) }),
  ),
  opening('hello-packet', 'requests packets of one byte', [], /^GO_AWAY 13\/12$/, () =>
    greeting({ packet: 1 }),
  ),
  opening(
    'hello-accepts',
    'accepts 100,000 versions of a protocol',
    [],
    /^GO_AWAY (13\/12|8\/14)$/,
    () =>
      greeting({
        raw: block(
          8,
          concat(block(1, 'p'), number(4, 99), block(3, new Uint8Array(15_000).fill(1))),
        ),
      }),
  ),
  {
    ...opening(
      'silent',
      'connects and sends nothing',
      [62],
      /^(ended|cut) without a byte$/,
      () => new Uint8Array(0),
    ),
    isSlow: true,
  },
  {
    ...opening(
      'preamble-only',
      'sends its preamble and then nothing',
      [62],
      /^GO_AWAY 14\/16$/,
      () => PREAMBLE,
    ),
    isSlow: true,
  },
  {
    ...opening('hello-half', 'sends half a hello', [7, 62], /^GO_AWAY 14\/16$/, () =>
      greeting({}).subarray(0, 40),
    ),
    isSlow: true,
  },
  {
    ...opening('hello-no-ready', 'sends a hello but never READY', [62], /^GO_AWAY 14\/16$/, () =>
      greeting({}),
    ),
    isSlow: true,
  },
  {
    name: 'hello-dripped',
    title: 'sends its hello at a byte a second',
    cases: [62],
    isSlow: true,
    answer: /^GO_AWAY 14\/16$/,
    async run(run) {
      const attacker = await run.connect();
      const bytes = greeting({});
      for (let at = 0; !attacker.isOver && at < bytes.length; at++) {
        await attacker.push(bytes.subarray(at, at + 1));
        await sleep(at < PREAMBLE.length ? 1 : 1_000);
      }
      return attacker.outcome();
    },
  },
  {
    name: 'frame-half',
    title: 'sends a frame at two bytes a second',
    cases: [7, 8],
    isSlow: true,
    answer: /^GO_AWAY 13\/12$/,
    async run(run) {
      const attacker = await run.admitted();
      attacker.answersPings = false;
      // A byte now and then keeps the connection alive, but not the incomplete frame.
      const body = call(1, new Uint8Array(60_000));
      await attacker.push(body.subarray(0, 6));
      for (let at = 6; !attacker.isOver && attacker.goAway === undefined; at++) {
        await attacker.push(body.subarray(at, at + 1));
        await sleep(500);
      }
      return attacker.outcome();
    },
  },
  {
    name: 'ignores-pings',
    title: 'is silent and answers no PING',
    cases: [48],
    isSlow: true,
    answer: /^(cut|ended)$/,
    async run(run) {
      const attacker = await run.admitted();
      attacker.answersPings = false;
      return attacker.over();
    },
  },
  {
    name: 'silent-flood',
    title: 'opens 400 sockets and sends nothing on any of them',
    cases: [60, 62],
    memory: 320 * 64 * 1_024,
    answer: /^320 kept$/,
    carriers: ['tcp', 'tls', 'ws', 'wss', 'noise'],
    run: (run) => kept(run, 400),
  },
  {
    name: 'per-source',
    title: 'opens 64 sockets to a victim that accepts four of one address at a time',
    cases: [60],
    victim: { limits: { handshakes: { perSource: 4 } } },
    // Less than four where honest clients of the same address are in their handshakes just then.
    answer: /^[0-4] kept$/,
    carriers: ['tcp', 'tls', 'ws', 'wss', 'noise'],
    run: (run) => kept(run, 64),
  },
  {
    name: 'per-source-no-upgrade',
    title:
      'ends 64 TLS handshakes with a victim that accepts four of one address at a time, and never upgrades',
    cases: [60],
    victim: { limits: { handshakes: { perSource: 4 } } },
    answer: /^[0-4] kept$/,
    carriers: ['wss'],
    async run(run) {
      const sockets = await Promise.all(
        Array.from({ length: 64 }, () => run.socket().catch(() => undefined)),
      );
      const open = await countKept(sockets);
      while (run.goesOn()) if (!run.isShort) await sleep(100);
      return `${open} kept`;
    },
  },
  {
    name: 'connect-cycles',
    title: 'connects, sends a hello, makes a call and disconnects, again and again',
    cases: [78],
    rounds: 100,
    memory: 16 * 1024 * 1024,
    answer: /^done$/,
    async run(run) {
      for (let cycle = 0; run.goesOn(); cycle++) {
        const attacker = await run.admitted();
        await attacker.push(
          concat(
            call(1),
            frame({ kind: Kind.request, id: 3, channel: CHANNEL, method: Method.hold }),
            call(5).subarray(0, cycle % 12),
          ),
        );
        if (cycle % 3 === 0) reset(attacker.socket);
        else if (cycle % 3 === 1) attacker.socket.end();
        else attacker.destroy();
        await attacker.over();
      }
      return 'done';
    },
  },
  {
    name: 'texts',
    title: 'puts control characters, line breaks and bidirectional marks into its texts',
    cases: [],
    rounds: 3,
    isBrief: true,
    answer: /^GO_AWAY/,
    async run(run) {
      const nasty = 'a\u001b[2Jb\r\nc\u202ed\u2066e\u2028f\u0000g';
      let attacker: AttackerConnection | undefined;
      while (run.goesOn()) {
        attacker = await run.admitted({
          agent: nasty,
          addr: nasty,
          protocols: [{ name: nasty, version: 1, channel: 99 }],
        });
        await attacker.push(
          frame({ kind: Kind.goAway, code: 7, reason: 6, text: nasty.repeat(20) }),
        );
        await Promise.race([attacker.over(), sleep(SETTLING)]);
        attacker.destroy();
        attacker = await run.connect();
        await attacker.push(greeting({ network: nasty }));
        await attacker.over();
      }
      return attacker!.outcome();
    },
  },
];

/** Sends first bytes on a carrier that is up; the answer is how the connection ends. */
function opening(
  name: string,
  title: string,
  cases: readonly number[],
  answer: RegExp,
  first: () => Uint8Array,
): Attack {
  return {
    name,
    title,
    cases,
    answer,
    isBrief: true,
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.connect();
        const before = attacker.socket.bytesRead;
        if (first().length > 0) await attacker.push(first());
        answer = await attacker.over();
        // TLS and noise exchange bytes of their own, so only tcp can compare the bytes read.
        const isSilent =
          attacker.received.size === 0 &&
          (run.target.carrier !== 'tcp' || attacker.socket.bytesRead === before);
        if (attacker.goAway === undefined && isSilent)
          answer = `${answer.startsWith('close') ? 'ended' : answer} without a byte`;
      }
      return answer;
    },
  };
}

/** Opens bare sockets, sends nothing on them, and counts those that the victim keeps. */
async function kept(run: AttackRun, count: number): Promise<string> {
  const { host, port } = run.target;
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at++) {
    const socket = connect({ host, port });
    socket.on('error', () => {});
    socket.resume();
    sockets.push(socket);
    if (at % 50 === 49) await once(socket, 'connect').catch(() => {});
  }
  const open = await countKept(sockets);
  for (const socket of sockets) socket.destroy();
  return `${open} kept`;
}

/**
 * Returns the number of sockets that are still open when the victim has closed some of them and has
 * stopped closing them. A victim that closes none gets `LONGEST_SETTLING`.
 */
async function countKept(sockets: readonly (Socket | undefined)[]): Promise<number> {
  let last = sockets.length;
  let steady = 0;
  for (let waited = 0; waited < LONGEST_SETTLING; waited += POLL) {
    await sleep(POLL);
    const open = sockets.filter((socket) => socket?.destroyed === false && socket.readable).length;
    steady = open === last ? steady + POLL : 0;
    last = open;
    if (open < sockets.length && steady >= SETTLING) break;
  }
  return last;
}

function greeting(fields: HelloFields): Uint8Array {
  return concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello(fields) }));
}

function call(id = 1, payload: Uint8Array = new Uint8Array(8)): Uint8Array {
  return frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.echo, payload });
}

/** Milliseconds that the victim gets to close unwanted connections. */
const SETTLING = 500;
const LONGEST_SETTLING = 5_000;
const POLL = 100;
