// Attacks on memory: messages that are not finished, not read, or not taken, and refusals that are
// not read.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackRun } from '../attack.ts';
import type { AttackerConnection } from '../attacker-connection.ts';
import { PACKET, pushLong } from '../long.ts';
import { CHANNEL, Method } from '../methods.ts';
import { concat, frame, Kind, repeat } from '../wire.ts';

const MIB = 1024 * 1024;
/** The initial credit for one-ways and long requests of a channel. */
const INBOX = 8 * MIB;
/** The most that a message costs on this account. */
const MOST_COST = 4 * MIB;
/**
 * The memory that unfinished messages take: the default of `limits.memory`, an eighth of it that
 * may be allocated before it arrives, and an eighth of both for the free memory that remains
 * between blocks in glibc's heap.
 */
const UNFINISHED = 512 * MIB * 1.125 ** 2;
const bound = {
  milliseconds: 25,
  overTls: 40,
  reason:
    'while hundreds of MiB arrive, V8 marks its heap about every 20 MB, and each turn of the event loop reads from every connection',
};
/** The options of a victim with less memory, for short runs. */
const small = { limits: { memory: 24 * MIB, message: 8 * MIB } };

export const memory: readonly Attack[] = [
  {
    name: 'oneway-slow-handler',
    title:
      'sends one-ways to a handler that takes a second, on four connections, at the pace of the credit',
    cases: [],
    // Four connections, each with the credit of one channel, half of which its payloads take, and
    // the content of its queue.
    memory: 4 * (8 + 8) * MIB,
    bound: {
      milliseconds: 25,
      reason: 'four peers keep 4,096 handlers each, which begin and end together every second',
    },
    rounds: 400,
    answer: /^nothing$/,
    async run(run) {
      const attackers = await run.admittedMany(4);
      const credit = attackers.map((attacker) => creditOf(attacker));
      const oneway = frame({
        kind: Kind.oneway,
        channel: CHANNEL,
        method: Method.note,
        payload: new Uint8Array(1_024),
      });
      const chunk = repeat(oneway, 100);
      const cost = 100 * (1_024 + 1_024);
      while (run.goesOn()) {
        let sent = 0;
        for (const [at, attacker] of attackers.entries()) {
          if (credit[at]!.left < cost || attacker.isOver) continue;
          credit[at]!.left -= cost;
          await attacker.push(chunk);
          sent++;
        }
        if (sent === 0) await sleep(run.isShort ? 1 : 5);
      }
      return attackers[0]!.outcome();
    },
  },
  {
    name: 'declared-memory',
    title: 'declares eight requests of 64 MiB on eight connections and sends 64 KiB/s of each',
    cases: [8, 20],
    memory: UNFINISHED,
    bound,
    rounds: 1,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    async run(run) {
      const attackers = await run.admittedMany(8);
      const payload = new Uint8Array(PACKET);
      for (const attacker of attackers) await pushLong(attacker, longRequest(1), payload, 64 * MIB);
      while (run.goesOn()) {
        for (const attacker of attackers)
          if (attacker.pipe > 0) await attacker.push(frame({ kind: Kind.part, id: 1, payload }));
        if (!run.isShort) await sleep(1_000);
      }
      for (const attacker of attackers) await attacker.settled();
      return attackers[0]!.outcome();
    },
  },
  {
    name: 'unfinished-requests',
    title: 'omits the last packet of 32 requests of 64 MiB',
    cases: [20],
    memory: UNFINISHED,
    bound,
    shortVictim: small,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    run: (run) =>
      unfinished(run, (attacker, id, size) =>
        pushLong(attacker, longRequest(id), new Uint8Array(size - PACKET), size),
      ),
  },
  {
    name: 'unfinished-oneways',
    title: 'omits the last packet of 32 one-way calls of 64 MiB',
    cases: [20],
    memory: UNFINISHED,
    bound,
    shortVictim: small,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    run: (run) =>
      unfinished(run, (attacker, id, size) =>
        pushLong(
          attacker,
          { kind: Kind.oneway, id, channel: CHANNEL, method: Method.note },
          new Uint8Array(size - PACKET),
          size,
        ),
      ),
  },
  {
    name: 'unfinished-sizes',
    title: 'begins requests of 1 to 64 MiB on 32 connections again and again, and finishes none',
    cases: [20],
    memory: UNFINISHED,
    bound,
    shortVictim: small,
    rounds: 30,
    isSlow: true,
    isHeavy: true,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    async run(run) {
      const attackers = await run.admittedMany(run.isShort ? 6 : 32);
      const largest = run.isShort ? 8 : 64;
      await Promise.all(
        attackers.map(async (attacker, nth) => {
          const credit = creditOf(attacker);
          // At least two messages on each, however slow the machine is: 2 GiB in all.
          for (let id = 1; id <= 3 || run.goesOn(); id += 2) {
            const isPaid = attacker.until(() => credit.left > 0).then(() => true);
            // Messages that are kept give no credit back.
            const isOver = !(await Promise.race([isPaid, sleep(PATIENCE, false)]));
            if (isOver || attacker.isOver) return;
            const size = PACKET * (16 + ((id * 223 + nth * 97) % (16 * (largest - 1))));
            credit.left -= Math.min(size + 64, MOST_COST);
            await pushLong(attacker, longRequest(id), new Uint8Array(size - PACKET), size);
          }
        }),
      );
      return worst(attackers);
    },
  },
  {
    name: 'unfinished-items',
    title: 'omits the last packet of 128 items of 1 MiB, on 16 connections',
    cases: [20],
    memory: UNFINISHED,
    bound,
    shortVictim: small,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    async run(run) {
      const attackers = await run.admittedMany(run.isShort ? 2 : 16);
      const streams = run.isShort ? 32 : 128;
      await Promise.all(
        attackers.map(async (attacker) => {
          for (let at = 0; at < streams && !attacker.isOver; at++) {
            const id = 2 * at + 1;
            await attacker.push(
              frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.upload, flags: 1 }),
            );
            await pushLong(attacker, { kind: Kind.item, id }, new Uint8Array(MIB - PACKET), MIB);
          }
        }),
      );
      while (run.goesOn()) if (!run.isShort) await sleep(100);
      return worst(attackers);
    },
  },
  {
    name: 'trickling-reader',
    title: 'makes calls that are refused and does not read the refusals',
    cases: [58],
    // The queued refusals, and the part of the socket buffers that Node's stream keeps.
    memory: 32 * MIB,
    rounds: 2_000,
    answer: /^(cut|ended|GO_AWAY.*)$/,
    async run(run) {
      const attacker = await run.admitted();
      attacker.socket.pause();
      const over = attacker.over();
      let left = false;
      void over.then(() => {
        left = true;
      });
      for (let first = 1; run.goesOn() && !left; first = ((first + 1_000) % 0x7fff_0001) | 1) {
        const bytes = concat(...Array.from({ length: 500 }, (_, at) => refused(first + 2 * at)));
        await Promise.race([attacker.push(bytes), over]);
      }
      attacker.socket.resume();
      return over;
    },
  },
  {
    name: 'never-reads',
    title: 'asks for 100 endless downloads, grants a GiB of credit and reads nothing',
    cases: [58],
    memory: 64 * MIB,
    rounds: 1,
    answer: /^(nothing|cut|ended)$/,
    async run(run) {
      const attacker = await run.admitted();
      await attacker.push(
        concat(
          ...Array.from({ length: 100 }, (_, at) =>
            frame({
              kind: Kind.request,
              id: 2 * at + 1,
              channel: CHANNEL,
              method: Method.download,
              flags: 2,
            }),
          ),
        ),
      );
      attacker.socket.pause();
      while (run.goesOn() && !attacker.isOver) await sleep(run.isShort ? 200 : 100);
      return attacker.outcome();
    },
  },
  {
    name: 'calls-held',
    title: 'holds 4,096 calls open on each of 50 connections',
    cases: [45, 49],
    memory: 256 * MIB,
    shortVictim: { limits: { calls: 64 } },
    answer: /^(nothing|ERROR 8.*)$/,
    async run(run) {
      const attackers = await run.admittedMany(run.isShort ? 10 : 50);
      const each = run.isShort ? 100 : 4_096;
      const payload = new Uint8Array(1_024);
      for (const attacker of attackers) {
        for (let at = 0; at < each; at++) {
          await attacker.push(
            frame({
              kind: Kind.request,
              id: 2 * at + 1,
              channel: CHANNEL,
              method: Method.hold,
              payload,
              metadata: [['key', 'value']],
            }),
          );
        }
      }
      for (const attacker of attackers) await attacker.settled();
      while (run.goesOn()) if (!run.isShort) await sleep(100);
      return worst(attackers);
    },
  },
  {
    name: 'credit-unmounted',
    title: 'gives credit to each of 256 channels on 200 connections',
    cases: [11],
    memory: 200 * 48 * 1_024,
    answer: /^nothing$/,
    async run(run) {
      const attackers = await run.admittedMany(run.isShort ? 100 : 200);
      const channels = Array.from({ length: 256 }, (_, channel) => channel).filter(
        (channel) => channel !== CHANNEL,
      );
      const credits = concat(
        ...channels.map((channel) => frame({ kind: Kind.credit, account: 2, channel, credit: 1 })),
      );
      for (const attacker of attackers) await attacker.push(credits);
      for (const attacker of attackers) await attacker.settled();
      while (run.goesOn()) if (!run.isShort) await sleep(100);
      return worst(attackers);
    },
  },
  {
    name: 'idle-connections',
    title: 'opens 500 connections, sends hellos and is silent',
    cases: [],
    memory: 500 * 64 * 1_024,
    answer: /^nothing$/,
    async run(run) {
      const attackers = await run.admittedMany(run.isShort ? 50 : 500);
      while (run.goesOn()) if (!run.isShort) await sleep(100);
      return worst(attackers);
    },
  },
];

/** Milliseconds to wait for credit. */
const PATIENCE = 5_000;

/** Tracks the inbox account of the channel of the victim's protocol. */
function creditOf(attacker: AttackerConnection): { left: number } {
  const account = { left: INBOX };
  attacker.onFrame = (read) => {
    if (read.kind === Kind.credit && read.account === 2 && read.channel === CHANNEL)
      account.left += read.credit;
  };
  return account;
}

function longRequest(id: number) {
  return { kind: Kind.request, id, channel: CHANNEL, method: Method.size };
}

function refused(id: number): Uint8Array {
  return frame({ kind: Kind.request, id, channel: CHANNEL, method: 99 });
}

/** Opens 32 connections (6 in a short run), begins one message on each, and finishes none. */
async function unfinished(
  run: AttackRun,
  begin: (attacker: AttackerConnection, id: number, size: number) => Promise<void>,
): Promise<string> {
  const attackers = await run.admittedMany(run.isShort ? 6 : 32);
  await Promise.all(
    attackers.map((attacker) => begin(attacker, 1, run.isShort ? 8 * MIB : 64 * MIB)),
  );
  while (run.goesOn()) if (!run.isShort) await sleep(100);
  for (const attacker of attackers) await attacker.settled();
  return worst(attackers);
}

/**
 * Returns the harshest answer among them: a GO_AWAY if there is one, otherwise any answer but
 * 'nothing'.
 */
function worst(attackers: readonly AttackerConnection[]): string {
  const outcomes = attackers.map((attacker) => attacker.outcome());
  return (
    outcomes.find((answer) => answer.startsWith('GO_AWAY')) ??
    outcomes.find((answer) => answer !== 'nothing') ??
    'nothing'
  );
}
